import type { Rect } from '../layout.ts';
import type { Ink, Line } from './line.ts';

/** Dots of a braille character. */
export const dotsAcross = 2;
export const dotsDown = 4;

/** A curve in the dots of its plot: x from the left, y from the top; each part is drawn without a gap. */
export interface Curve {
  colour: Ink;
  /** Stands for it where there is no colour. */
  letter: string;
  parts: readonly (readonly (readonly [x: number, y: number])[])[];
}

/** Where a plot is drawn, within its panel, in columns and rows. */
export interface Plot {
  rect: Rect;
  curves: readonly Curve[];
}

/** What a panel shows: lines of text, and curves that are drawn over them in braille. */
export interface PanelContent {
  lines: Line[];
  plots: readonly Plot[];
}

/** Values against time of one curve, before it is drawn. */
export interface Series {
  colour: Ink;
  letter: string;
  times: readonly number[];
  /** Images that each value is the mean of; absent: one. */
  frames?: readonly number[];
  values: readonly number[];
}

export interface Range {
  low: number;
  high: number;
}

/** The range of all values, with a little room; never empty. @param least smallest span, in the values' unit. */
export function rangeOf(series: readonly Series[], least: number): Range | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { values } of series) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return null;
  const room = Math.max((high - low) * 0.06, (least - (high - low)) / 2, 0);
  return { low: low - room, high: high + room };
}

/**
 * The dots of a series. Values that share a column of dots become that column's lowest and highest, so that a spike shows
 * however much is shown; a value that is missing, or a pause longer than `gapMs` for each image of the value before, breaks the curve.
 */
export function curveOf(
  series: Series,
  time: Range,
  value: Range,
  width: number,
  height: number,
  gapMs: number,
): Curve {
  const across = width * dotsAcross - 1;
  const down = height * dotsDown - 1;
  const parts: [number, number][][] = [];
  let part: [number, number][] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const [i, at] of series.times.entries()) {
    const of = series.values[i] as number;
    if (!Number.isFinite(of) || at - before > gapMs * (series.frames?.[i - 1] ?? 1)) {
      if (part.length > 0) parts.push(part);
      part = [];
    }
    before = at;
    if (!Number.isFinite(of) || at < time.low || at > time.high) continue;
    const x = Math.round(((at - time.low) / (time.high - time.low || 1)) * across);
    const y = Math.round((1 - (of - value.low) / (value.high - value.low || 1)) * down);
    addDot(part, x, y);
  }
  if (part.length > 0) parts.push(part);
  return { colour: series.colour, letter: series.letter, parts };
}

/** Of many dots in one column, the first, the lowest, the highest and the last remain. */
function addDot(part: [number, number][], x: number, y: number): void {
  const [before, last] = [part.at(-2), part.at(-1)];
  if (last?.[0] === x && before?.[0] === x) {
    const first = part.at(-3);
    if (first?.[0] === x && (y - last[1]) * (last[1] - before[1]) >= 0) {
      last[1] = y;
      return;
    }
  }
  if (last?.[0] === x && last[1] === y) return;
  part.push([x, y]);
}

/** Draws curves into rows of characters, a letter each; later curves lie over earlier ones. */
export function drawLetters(
  curves: readonly Curve[],
  width: number,
  height: number,
): { letter: string; colour: Ink | null }[][] {
  const cells = Array.from({ length: height }, () =>
    Array.from({ length: width }, () => ({ letter: ' ', colour: null as Ink | null })),
  );
  for (const { letter, colour, parts } of curves) {
    const put = (x: number, y: number): void => {
      const row = cells[Math.floor(y / dotsDown)];
      const column = Math.floor(x / dotsAcross);
      if (row && column >= 0 && column < width) row[column] = { letter, colour };
    };
    for (const part of parts) {
      put(...(part[0] as [number, number]));
      for (let i = 1; i < part.length; i++) straight(part[i - 1] as [number, number], part[i] as [number, number], put);
    }
  }
  return cells;
}

function straight(
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  put: (x: number, y: number) => void,
): void {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
  for (let i = 0; i <= steps; i++)
    put(Math.round(x0 + ((x1 - x0) * i) / steps), Math.round(y0 + ((y1 - y0) * i) / steps));
}
