import { medianOf } from '../../model/median.ts';
import { chipAxes, rangeParts, type SeriesRow, type SeriesSpread } from './seriesRow.ts';

/** Levels of the series: each row of one stands for several of the level below, so that a long run is drawn from few of them. */

/** So many rows make one of the next level. */
export const fan = 4;

/** One row of the next level. @param rows at least one, of one segment. */
export function mergeRows(rows: readonly SeriesRow[]): SeriesRow {
  const first = rows.reduce((a, b) => (isEarlier(b, a) ? b : a));
  const { length } = first.positions;
  const flags = new Uint16Array(length);
  for (const row of rows) for (let i = 0; i < length; i++) flags[i]! |= row.flags[i]!;
  return {
    ...first,
    frames: rows.reduce((sum, { frames }) => sum + frames, 0),
    brightness: means(rows, new Float32Array(1), row => [row.brightness])[0]!,
    positions: means(rows, new Float64Array(length), row => row.positions),
    uncertainties: means(rows, new Float32Array(length), row => row.uncertainties),
    shifts: means(rows, new Float32Array(length), row => row.shifts),
    shiftUncertainties: means(rows, new Float32Array(length), row => row.shiftUncertainties),
    temperatures: means(rows, new Float32Array(first.temperatures.length), row => row.temperatures),
    chipShift: means(rows, new Float32Array(chipAxes.length), row => row.chipShift),
    flags,
    spread: spreadOf(rows),
  };
}

/** Null where rows that stand for several images do not tell theirs. */
function spreadOf(rows: readonly SeriesRow[]): SeriesSpread | null {
  if (rows.some(({ spread, frames }) => spread === null && frames > 1)) return null;
  const { length } = rows[0]!.positions;
  const spread: SeriesSpread = {
    lows: new Float32Array(length),
    medians: new Float32Array(length),
    highs: new Float32Array(length),
    all: new Float32Array(rangeParts.length),
    lasted: Float64Array.of(Math.max(...rows.map(lastAt)) - Math.min(...rows.map(firstAt))),
  };
  for (let i = 0; i < length; i++) {
    const shifted = rows.filter(({ shifts }) => !Number.isNaN(shifts[i]));
    const [of, from] = shifted.length > 0 ? ([shifted, 'shifts'] as const) : ([rows, 'positions'] as const);
    spread.lows[i] = lowest(of.map(row => row.spread?.lows[i] ?? row[from][i]!));
    spread.medians[i] = medianOf(of.map(row => row.spread?.medians[i] ?? row[from][i]!));
    spread.highs[i] = -lowest(of.map(row => -(row.spread?.highs[i] ?? row[from][i]!)));
  }
  const all = rows.map(row => row.spread?.all ?? new Float32Array(rangeParts.length).fill(medianOf(row.shifts)));
  spread.all[0] = lowest(all.map(of => of[0]!));
  spread.all[1] = medianOf(all.map(of => of[1]!));
  spread.all[2] = -lowest(all.map(of => -of[2]!));
  return spread;
}

const firstAt = ({ utc, local }: SeriesRow): number => (Number.isNaN(utc) ? local : utc);
const lastAt = (row: SeriesRow): number => firstAt(row) + (row.spread?.lasted[0] ?? 0);

/** NaN does not count; NaN of nothing. */
function lowest(values: readonly number[]): number {
  let low = Number.NaN;
  for (const value of values) if (!(value >= low)) low = Number.isNaN(value) ? low : value;
  return low;
}

const isEarlier = (a: SeriesRow, b: SeriesRow): boolean =>
  Number.isNaN(a.utc) || Number.isNaN(b.utc) ? a.local < b.local : a.utc < b.utc;

function means<T extends Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  rows: readonly SeriesRow[],
  into: T,
  of: (row: SeriesRow) => ArrayLike<number>,
): T {
  for (let i = 0; i < into.length; i++) {
    let sum = 0;
    let count = 0;
    for (const row of rows) {
      const value = of(row)[i]!;
      if (Number.isNaN(value)) continue;
      sum += value * row.frames;
      count += row.frames;
    }
    into[i] = sum / count;
  }
  return into;
}
