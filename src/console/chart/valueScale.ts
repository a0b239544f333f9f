import type { Range } from '../views/ticks.ts';
import type { Column } from './columns.ts';

/** What of the values a scale leaves out, points of all curves. */
export interface Scale extends Range {
  above: number;
  below: number;
}

/** Of the columns, so many lie outside of what the scale is made for, at each end. */
const outside = 0.05;
/** So far beyond it, in its own height, everything is still shown. */
const margin = 1;
/** The last columns of each curve are always shown: a step that has just come is no outlier. */
const newest = 3;
/** Room at both ends, of the height. */
const room = 0.06;

type Curves = readonly (readonly (Column | null)[])[];

/**
 * A scale that a few outliers do not rule; it says how many points it cuts. Null where there is no value.
 * @param least smallest height, in the values' unit.
 * @param all nothing is cut.
 */
export function robustScale(curves: Curves, least: number, all = false): Scale | null {
  const columns = curves.flatMap(curve => curve.filter(column => column !== null));
  if (columns.length === 0) return null;
  const quantile = (values: number[], share: number): number =>
    values.sort((a, b) => a - b)[Math.round(share * (values.length - 1))]!;
  const from = quantile(
    columns.map(column => column.low),
    outside,
  );
  const to = quantile(
    columns.map(column => column.high),
    1 - outside,
  );
  const reach = margin * Math.max(to - from, least);
  const last = curves.flatMap(curve => curve.filter(column => column !== null).slice(-newest));
  const most = Math.max(to + reach, ...last.map(({ median }) => median));
  const fewest = Math.min(from - reach, ...last.map(({ median }) => median));
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const column of columns) {
    low = Math.min(low, all ? column.low : Math.max(column.low, fewest));
    high = Math.max(high, all ? column.high : Math.min(column.high, most));
  }
  // What lies out altogether has no say.
  if (!all) [low, high] = [Math.min(low, to), Math.max(high, from)];
  const extra = Math.max((high - low) * room, (least - (high - low)) / 2, 0);
  return cutBy(curves, { low: low - extra, high: high + extra });
}

/** A range, with what it cuts. */
export function cutBy(curves: Curves, { low, high }: Range): Scale {
  const columns = curves.flatMap(curve => curve.filter(column => column !== null));
  return {
    low,
    high,
    above: columns.filter(column => column.high > high).length,
    below: columns.filter(column => column.low < low).length,
  };
}
