import type { Drawing } from '../drawing.ts';
import { type Curve, dotsAcross, dotsDown, drawLetters, type Plot, type Range } from './curves.ts';
import { type Ink, type Line, type Segment, seg } from './line.ts';
import { timeTicks, valueTicks } from './ticks.ts';

export interface AxesFacts {
  plot: Plot;
  time: Range;
  range: Range;
  /** Columns left of the plot. */
  gutter: number;
  withTimes: boolean;
  drawing: Drawing;
}

/** Columns that one time of day takes, with room. */
const timeWidth = 14;
const rowsPerTick = 3;

/**
 * The lines of a plot: numbers and axis at the left, letters at the right end of the curves, times below. In ASCII the
 * curves are drawn in letters; else their place is left blank for braille.
 */
export function axes({ plot, time, range, gutter, withTimes, drawing }: AxesFacts): Line[] {
  const { rect, curves } = plot;
  const labels = new Map<number, string>();
  for (const { value, text } of valueTicks(range, Math.max(1, Math.round(rect.height / rowsPerTick)))) {
    labels.set(Math.round((1 - (value - range.low) / (range.high - range.low)) * (rect.height - 1)), text);
  }
  const ends = endLetters(curves, rect.height);
  const drawn = drawing.unicode ? null : drawLetters(curves, rect.width, rect.height);
  const lines: Line[] = [];
  for (let row = 0; row < rect.height; row++) {
    const label = labels.get(row);
    const end = ends.get(row);
    lines.push([
      seg((label ?? '').slice(0, gutter - 2).padStart(gutter - 2), 'dim'),
      seg(` ${drawing.vertical}`, 'dim'),
      ...(drawn ? runs(drawn[row] as { letter: string; colour: Ink | null }[]) : [seg(' '.repeat(rect.width))]),
      ...(end ? [seg(` ${end.letter}`, { fg: end.colour })] : []),
    ]);
  }
  if (withTimes) lines.push(...timeAxis(time, rect.width, gutter, drawing));
  return lines;
}

/** Neighbours of one colour are one piece. */
function runs(cells: readonly { letter: string; colour: Ink | null }[]): Segment[] {
  const segments: { text: string; colour: Ink | null }[] = [];
  for (const { letter, colour } of cells) {
    const last = segments.at(-1);
    if (last?.colour === colour) last.text += letter;
    else segments.push({ text: letter, colour });
  }
  return segments.map(({ text, colour }) => seg(text, colour === null ? 'plain' : { fg: colour }));
}

/** Which letter stands beside which row: each at its curve's last value, or as near as there is room. */
function endLetters(curves: readonly Curve[], height: number): Map<number, Curve> {
  const taken = new Map<number, Curve>();
  for (const curve of [...curves].reverse()) {
    const last = curve.parts.at(-1)?.at(-1);
    if (!last) continue;
    const row = Math.floor(last[1] / dotsDown);
    for (let off = 0; off < height; off++) {
      const free = [row + off, row - off].find(each => each >= 0 && each < height && !taken.has(each));
      if (free === undefined) continue;
      taken.set(free, curve);
      break;
    }
  }
  return taken;
}

function timeAxis(time: Range, width: number, gutter: number, { rule }: Drawing): Line[] {
  let text = ' '.repeat(gutter);
  const across = (width * dotsAcross - 1) / dotsAcross;
  for (const { value, text: label } of timeTicks(time, Math.max(1, Math.floor(width / timeWidth)))) {
    const middle = gutter + ((value - time.low) / (time.high - time.low)) * across;
    const at = Math.max(gutter - 2, Math.min(gutter + width - label.length, Math.round(middle - label.length / 2)));
    if (at > text.length || text.trim() === '') text = text.padEnd(at).slice(0, at) + label;
  }
  return [[seg(' '.repeat(gutter - 1)), seg(rule.repeat(width + 1), 'dim')], [seg(text, 'dim')]];
}
