import type { ParameterStatistics } from '../model/result.ts';
import { roundDecimals } from '../model/roundDecimals.ts';
import { quantile } from './quantile.ts';
import { reusableNumbers } from './reusableNumbers.ts';
import { sortAscending } from './sortAscending.ts';

const numbers = reusableNumbers();

/**
 * What the rows of a ROI gave for one parameter, as the Python system sums it up: mean, population standard deviation,
 * quartiles (linear interpolation), extremes, all to three decimals, and the smoothness: the standard deviation of the
 * differences between neighbouring rows over the range (of the rounded extremes), 0 when the range is 0.
 *
 * @param values in row order, at least one, all finite
 * @param keepValues puts the values themselves in front
 * @param count looks at so many of them, the first ones
 */
export function parameterStatistics(
  values: Float64Array,
  keepValues: boolean,
  count = values.length,
): ParameterStatistics {
  const sorted = numbers(count);
  for (let i = 0; i < count; i++) sorted[i] = values[i];
  sortAscending(sorted, count);
  const max = roundDecimals(sorted[count - 1], 3);
  const min = roundDecimals(sorted[0], 3);
  const mean = meanOf(values, count);
  return {
    ...(keepValues ? { Values: Array.from(values.subarray(0, count)) } : {}),
    Mean: roundDecimals(mean, 3),
    STD: roundDecimals(deviationOf(values, count, mean), 3),
    LQ: roundDecimals(quantile(sorted, 0.25, count), 3),
    Median: roundDecimals(quantile(sorted, 0.5, count), 3),
    UQ: roundDecimals(quantile(sorted, 0.75, count), 3),
    Max: max,
    Min: min,
    Smoothness: max === min ? 0 : roundDecimals(stepDeviation(values, count) / (max - min), 3),
  };
}

function meanOf(values: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  return sum / count;
}

function deviationOf(values: Float64Array, count: number, mean: number): number {
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i] - mean) * (values[i] - mean);
  return Math.sqrt(squares / count);
}

/** Standard deviation of the differences between neighbours. */
function stepDeviation(values: Float64Array, count: number): number {
  const steps = count - 1;
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += values[i + 1] - values[i];
  const mean = sum / steps;
  let squares = 0;
  for (let i = 0; i < steps; i++) squares += (values[i + 1] - values[i] - mean) ** 2;
  return Math.sqrt(squares / steps);
}
