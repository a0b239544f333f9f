import { Resvg } from '@resvg/resvg-js';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { PlotData, PlotTrack } from '../../../src/sinks/plot/plotData.ts';
import { plotSvg, renderPlot } from '../../../src/sinks/plot/renderPlot.ts';

function dataOf(rois: number, images: number, sensors: string[] = []): PlotData {
  const times = Float64Array.from({ length: images }, (_, i) => Date.UTC(2025, 7, 12, 13, 45, 0) + i * 5000);
  const track = (name: string, value: (image: number) => number): PlotTrack => {
    const values = Float32Array.from(times, (_, i) => value(i));
    const baseline = values.subarray(0, 3).reduce((sum, one) => sum + one, 0) / Math.min(3, images);
    return { name, values, baseline, shifts: values.map(position => position - baseline) };
  };
  return {
    times,
    images: new Float64Array(images).fill(1),
    first: times[0] ?? Number.NaN,
    last: times.at(-1) ?? Number.NaN,
    rois: Array.from({ length: rois }, (_, r) => track(`ROI ${r}`, i => 60 + (r % 50) + Math.sin(i / 10))),
    sensors: sensors.map((name, s) => track(name, i => 21 + s + i / 1000)),
    frames: images,
    stride: 1,
    method: images > 0 ? 'gaussian' : null,
  };
}

const words = (svg: string): string[] =>
  [...svg.matchAll(/<(?:text|tspan)[^>]*>([^<]*)</g)].map(match => match[1] as string);

describe('plot', () => {
  it('is a PNG of the asked size with lines of many colours', async () => {
    const png = renderPlot(dataOf(80, 50), { title: 'Run', width: 600, height: 400, zoom: 2 });
    const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([1200, 800]);
    const colours = new Set<number>();
    for (let i = 0; i < data.length; i += 3) colours.add(data.readUIntBE(i, 3));
    expect(colours.size).toBeGreaterThan(200);
  });

  it('has title, units, and the names of a few ROIs and of the sensors', () => {
    const text = words(plotSvg(dataOf(3, 10, ['lid']), { title: 'Chip 12' }));
    for (const expected of [
      'Chip 12 · gaussian',
      'Resonance position / px',
      'Shift / px',
      'Temperature / °C',
      'ROI 0',
      'ROI 2',
      'lid',
      '2025-08-12',
    ]) {
      expect(text).toContain(expected);
    }
    expect(text).toContain('3 ROIs · 10 images · 2025-08-12 13:45:00 to 13:45:45');
  });

  it('shows a scale instead of 644 names, and no temperature where there is none', () => {
    const text = words(plotSvg(dataOf(644, 4), { title: 'Run' }));
    expect(text).toContain('644 ROIs, in order');
    expect(text).toContain('ROI 0');
    expect(text).toContain('ROI 643');
    expect(text.filter(word => word.startsWith('ROI ')).length).toBeLessThan(15);
    expect(text).not.toContain('Temperature / °C');
  });

  it('says so when there is nothing yet, and shows a single image as points', () => {
    expect(words(plotSvg(dataOf(0, 0), { title: 'Run' }))).toContain('No results yet');
    const svg = plotSvg(dataOf(1, 1), { title: 'Run' });
    expect(svg).toContain('#0072B2');
    expect(words(svg)).not.toContain('Shift / px');
  });

  it('takes any label for what it is: text', () => {
    const label = '<b>&"\u0007\n</svg>';
    const data = dataOf(1, 1);
    const svg = plotSvg({ ...data, rois: [{ ...data.rois[0]!, name: label }] }, { title: '<script>&' });
    expect(svg).not.toContain('<script>');
    expect(svg).not.toContain('<b>');
    expect(() => new Resvg(svg)).not.toThrow();
  });

  it('draws letters, not the empty boxes of a missing font', async () => {
    const widthOf = async (title: string): Promise<number> => {
      const png = renderPlot(dataOf(0, 0), { title, zoom: 1 });
      const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true });
      let right = 0;
      for (let y = 10; y < 42; y++) {
        for (let x = 0; x < info.width; x++) if ((data[y * info.width + x] as number) < 128) right = Math.max(right, x);
      }
      return right - 88;
    };
    const [thin, wide] = [await widthOf('i'.repeat(20)), await widthOf('M'.repeat(20))];
    // In the package's bold face an i is 6 px wide at this size and an M 18 px; boxes would be all alike.
    expect(thin / 20).toBeCloseTo(6.2, 0);
    expect(wide / 20).toBeCloseTo(17.9, 0);
  });
});
