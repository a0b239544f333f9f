import type { Drawing } from '../drawing.ts';
import { clip, type Ink, type Line, seg } from './line.ts';
import { dotsAcross, dotsDown, Raster } from './raster.ts';
import { type Range, valueTicks } from './ticks.ts';

/** Points of a plot; what is not finite breaks the line. */
export interface PlotLine {
  colour: Ink;
  /** Stands for it where braille can't be drawn. */
  letter: string;
  xs: ArrayLike<number>;
  ys: ArrayLike<number>;
  /** Points by themselves. */
  isDotted?: boolean;
}

export interface TextPlotOptions {
  width: number;
  /** With the row of numbers below. */
  height: number;
  x: Range;
  /** Null: that of the values. */
  y?: Range | null;
  /** Smallest span of the values. */
  least?: number;
  /** Text of a value at the axis below; the number itself unless given. */
  ticks?: readonly { value: number; text: string }[];
}

/** Columns for the numbers at the left, with the axis. */
const gutter = 9;

/** A plot as text alone: curves in braille, or in letters, with numbers at the left and below. Later lines lie over earlier ones. */
export function textPlot(lines: readonly PlotLine[], options: TextPlotOptions, drawing: Drawing): Line[] {
  const { width, height, x } = options;
  const columns = width - gutter;
  const rows = height - 1;
  const y = options.y ?? rangeOf(lines, x, options.least ?? 0);
  if (columns < 4 || rows < 1 || y === null) return [[seg(' nothing to draw', 'dim')]];
  const raster = new Raster(columns, rows);
  for (const each of lines) draw(each, x, y, raster);
  const labels = new Map(
    valueTicks(y, Math.max(1, Math.round(rows / 3))).map(({ value, text }) => [
      Math.round((1 - (value - y.low) / (y.high - y.low)) * (rows - 1)),
      text,
    ]),
  );
  const shown = raster
    .lines(drawing)
    .map((row, i) => [
      seg((labels.get(i) ?? '').slice(0, gutter - 2).padStart(gutter - 2), 'dim'),
      seg(` ${drawing.vertical}`, 'dim'),
      ...row,
    ]);
  return [...shown, axisBelow(options, columns)].map(each => clip(each, width, drawing));
}

function draw(line: PlotLine, x: Range, y: Range, raster: Raster): void {
  const [across, down] = [raster.width * dotsAcross - 1, raster.height * dotsDown - 1];
  const pen = { letter: line.letter, style: { fg: line.colour }, rank: 1 };
  let before: [number, number] | null = null;
  for (let i = 0; i < line.xs.length; i++) {
    const [atX, atY] = [line.xs[i] as number, line.ys[i] as number];
    if (!Number.isFinite(atY) || atX < x.low || atX > x.high) {
      before = null;
      continue;
    }
    const at: [number, number] = [
      Math.round(((atX - x.low) / (x.high - x.low || 1)) * across),
      Math.round((1 - (Math.max(y.low, Math.min(y.high, atY)) - y.low) / (y.high - y.low || 1)) * down),
    ];
    const from: [number, number] = before === null || line.isDotted ? at : before;
    raster.stroke(...from, ...at, pen);
    before = at;
  }
}

function axisBelow({ x, ticks }: TextPlotOptions, columns: number): Line {
  let text = ' '.repeat(gutter);
  for (const { value, text: label } of ticks ?? valueTicks(x, Math.max(1, Math.floor(columns / 14)))) {
    const middle = gutter + ((value - x.low) / (x.high - x.low || 1)) * (columns - 1);
    const at = Math.max(gutter, Math.min(gutter + columns - label.length, Math.round(middle - label.length / 2)));
    if (at > text.length || text.trim() === '') text = text.padEnd(at).slice(0, at) + label;
  }
  return [seg(text, 'dim')];
}

/** Of what is to be seen. */
function rangeOf(lines: readonly PlotLine[], x: Range, least: number): Range | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { xs, ys } of lines) {
    for (let i = 0; i < xs.length; i++) {
      const [atX, value] = [xs[i] as number, ys[i] as number];
      if (!Number.isFinite(value) || atX < x.low || atX > x.high) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return null;
  const room = Math.max((high - low) * 0.05, (least - (high - low)) / 2, Math.abs(high) * 1e-9, 1e-12);
  return { low: low - room, high: high + room };
}
