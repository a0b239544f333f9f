import { type AllanState, deviationFromAbove } from './allan.ts';

/** Weight of the newest value. */
const weight = 0.2;
/** The average has the noise of about so many values: (2 − λ)/λ. */
const averaged = 8;
/** The level is the mean of its first values. */
const levelValues = 32;

/** Plain data. */
export interface ChartState {
  sum: number;
  count: number;
  average: number;
}

export interface ControlChart {
  /** px. */
  level: number;
  average: number;
  /** Standard error of their difference, px. */
  sigma: number;
}

export const newChart = (): ChartState => ({ sum: 0, count: 0, average: Number.NaN });

/**
 * Exponentially weighted moving average of the shift of a group (Roberts, Technometrics 1, 239 (1959)): z = λx + (1 − λ)z, λ = 0.2, against the mean of the
 * first 32 values of its level. A change that was found begins anew.
 */
export function addToChart(chart: ChartState, shift: number): void {
  if (chart.count < levelValues) {
    chart.sum += shift;
    chart.count++;
    chart.average = chart.sum / chart.count;
  } else chart.average += weight * (shift - chart.average);
}

/** Null until the level is known. The errors are those of averages of as many values, by their Allan deviation: slow noise is in them. */
export function chartOf({ sum, count, average }: ChartState, allan: AllanState): ControlChart | null {
  const own = deviationFromAbove(allan, averaged, 0);
  if (count < levelValues || own === 0) return null;
  return { level: sum / count, average, sigma: Math.hypot(own, deviationFromAbove(allan, levelValues, 0)) };
}
