import type { EChartsOption } from 'echarts';

export const colours = { roi: '#1F5FA8', rows: '#D07A1E', bound: '#222222', other: '#3F8F4F' };

/** What all plots of docs/analysis.md have in common. */
export function frame(text: string): EChartsOption {
  return {
    animation: false,
    backgroundColor: '#FFFFFF',
    textStyle: { fontFamily: 'DejaVu Sans, sans-serif' },
    title: { text, left: 'center', top: 6, textStyle: { fontSize: 15, fontWeight: 'normal' } },
    legend: { top: 36, itemGap: 28 },
    grid: { left: 70, right: 30, top: 90, bottom: 50 },
  };
}

export const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** Density of numbers in bins of a quarter from −4 to 4, for a plot against the normal distribution. */
export function density(values: readonly number[]): [number, number][] {
  const step = 0.25;
  return Array.from({ length: 32 }, (_, i) => {
    const x = -4 + (i + 0.5) * step;
    return [x, values.filter(value => Math.abs(value - x) < step / 2).length / values.length / step];
  });
}

export const normalDensity: [number, number][] = Array.from({ length: 161 }, (_, i) => {
  const x = -4 + i / 20;
  return [x, Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)];
});
