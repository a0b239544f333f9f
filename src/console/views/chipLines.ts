import { counted } from '../../model/quantity.ts';
import type { ChipShift } from '../../model/result.ts';
import type { Roi } from '../../model/roi.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { cleanText } from './cleanText.ts';
import { type GratingPlace, gratingPlaces } from './gratingPlaces.ts';
import { blank, clip, type Ink, type Line, lineText, type Paint, type Segment, seg, titleRule } from './line.ts';
import { type ShiftScale, scaleLegend, shiftScale, stepOf, stepPaint, stepSign } from './shiftScale.ts';
import { lastChipShift, lastShifts, signed } from './shifts.ts';

/** Heading, summary and legend. */
const otherRows = 3;

/**
 * Every grating's ROI at its place, by its last shift, and the gratings of the chip that have none; extreme values by name, and what colours and
 * signs mean.
 */
export function chipLines({ rois, chips, history, drawing }: ConsoleState, width: number, height: number): Line[] {
  const title = heading(history && lastChipShift(history), width, drawing);
  if (!rois || rois.rois.length === 0) return [title, [seg(' there is no ROI manifest yet', 'dim')]];
  const known = new Map(history?.labels.map((label, i) => [label, i]));
  const shifts = history ? lastShifts(history) : new Float64Array();
  const of = Float64Array.from(rois.rois, ({ label }) => shifts[known.get(label) ?? -1] ?? Number.NaN);
  const scale = shiftScale(of);
  const grid: Grid = { width: width - 2, rows: Math.max(1, height - otherRows) };
  const gratings = gratingPlaces(rois, chips);
  return [
    title,
    ...mapLines({ rois: rois.rois, shifts: of, gratings, scale, drawing }, grid),
    summary(rois.rois, of, gratings.filter(({ hasRoi }) => !hasRoi).length, drawing),
    scaleLegend(scale, drawing, width),
  ]
    .slice(0, height)
    .map(each => clip(each, width, drawing));
}

/** With how far the chip has moved, where that is known. */
function heading(moved: ChipShift | null, width: number, drawing: Drawing): Line {
  const long = 'Chip: shift of each grating';
  if (!moved) return titleRule(long, width, drawing);
  const [dx, dy] = [moved.dx, moved.dy].map(value => signed(Number(value.toFixed(2))).trim());
  const angle = signed(Number(moved.angle.toFixed(3))).trim();
  const note = `chip moved x ${dx} y ${dy} px, ${angle}${drawing.unicode ? '°' : ' deg'}`;
  const title = titleRule(long, width, drawing, [seg(note, 'accent')]);
  return lineText(title).includes(note) ? title : titleRule('Chip', width, drawing, [seg(note, 'accent')]);
}

interface Grid {
  width: number;
  rows: number;
}

/** What the map shows. */
interface Shown {
  rois: readonly Roi[];
  /** Of each ROI, pixels. */
  shifts: Float64Array;
  gratings: readonly GratingPlace[];
  scale: ShiftScale;
  drawing: Drawing;
}

interface Cell {
  sign: string;
  paint: Paint & { bg: Ink };
  isMiddle: boolean;
}

/** A grating without a ROI. */
const emptyPaint = { fg: 'emptyText', bg: 'empty' } as const;
const emptySign = '-';

/** ROIs as blocks with their sign; where these would touch, in half blocks; where there are none, a sign each. */
function mapLines(shown: Shown, grid: Grid): Line[] {
  const { drawing } = shown;
  const blocks = cellsOf(shown, grid, 'whole');
  if (!blocks.isCrowded) {
    for (const place of blocks.names) writeName(place, blocks.cells, grid, drawing);
    return signs(blocks.cells, grid, drawing);
  }
  if (drawing.unicode && drawing.colours === 256) {
    return halfBlocks(cellsOf(shown, { ...grid, rows: grid.rows * 2 }, 'whole').cells, grid);
  }
  return signs(cellsOf(shown, grid, 'middle').cells, grid, drawing);
}

/**
 * The cells of a grid that ROIs and gratings fill from edge to edge, row by row. Of ROIs that share one, it shows the one that moved furthest; a
 * grating without a ROI gives way.
 */
function cellsOf(
  { rois, shifts, gratings, scale, drawing }: Shown,
  { width, rows }: Grid,
  extent: 'whole' | 'middle',
): { cells: Map<number, Cell>; names: NamePlace[]; isCrowded: boolean } {
  const places = [...rois, ...gratings];
  const across = spans(
    places.map(({ coords, size }) => [coords[1], coords[1] + size[1]]),
    width,
  );
  const down = spans(
    places.map(({ coords, size }) => [coords[0], coords[0] + size[0]]),
    rows,
  );
  const furthest = new Map<number, number>();
  const cells = new Map<number, Cell>();
  let isCrowded = false;
  for (const i of places.keys()) {
    const [[x0, x1], [y0, y1]] = [across[i] as Span, down[i] as Span];
    const grating = gratings[i - rois.length];
    if (grating?.hasRoi) continue;
    const shift = shifts[i] ?? Number.NaN;
    const step = stepOf(shift, scale);
    const [sign, paint] = grating ? [emptySign, emptyPaint] : [stepSign(step, drawing), stepPaint(step)];
    const [middleX, middleY] = [(x0 + x1) >> 1, (y0 + y1) >> 1];
    const isWhole = extent === 'whole';
    for (let y = isWhole ? y0 : middleY; y <= (isWhole ? y1 : middleY); y++) {
      for (let x = isWhole ? x0 : middleX; x <= (isWhole ? x1 : middleX); x++) {
        const at = y * width + x;
        const before = furthest.get(at);
        isCrowded ||= before !== undefined;
        if (before !== undefined && (grating || (!Number.isNaN(before) && !(Math.abs(shift) > Math.abs(before)))))
          continue;
        furthest.set(at, shift);
        cells.set(at, { sign, paint, isMiddle: x === middleX && y === middleY });
      }
    }
  }
  const names = gratings.map((grating, i) => ({
    grating,
    across: across[rois.length + i] as Span,
    down: down[rois.length + i] as Span,
  }));
  return { cells, names, isCrowded };
}

interface NamePlace {
  grating: GratingPlace;
  across: Span;
  down: Span;
}

/** Into an empty place, in its middle; else into the corner of the ROIs, where their signs leave room and colours tell the name from these. */
function writeName(
  { grating: { name, hasRoi }, across: [x0, x1], down: [y0, y1] }: NamePlace,
  cells: Map<number, Cell>,
  { width }: Grid,
  drawing: Drawing,
): void {
  const text = cleanText(name, drawing);
  const room = x1 - x0 + 1;
  if (text === '' || text.length + 2 > room || (hasRoi && drawing.colours === 0)) return;
  const from = hasRoi ? y0 * width + x0 + 1 : ((y0 + y1) >> 1) * width + x0 + Math.ceil((room - text.length) / 2);
  const under = Array.from(text, (_, i) => cells.get(from + i));
  if (under.some(cell => cell === undefined || (hasRoi && cell.isMiddle))) return;
  for (const [i, sign] of [...text].entries()) cells.set(from + i, { ...under[i]!, sign, isMiddle: true });
}

/** First and last cell. */
type Span = [first: number, last: number];

/** Where stretches lie among so many cells, when all of them together fill these; each has one at least. */
function spans(stretches: readonly [from: number, to: number][], cells: number): Span[] {
  const low = stretches.reduce((least, [from]) => Math.min(least, from), Number.POSITIVE_INFINITY);
  const high = stretches.reduce((most, [, to]) => Math.max(most, to), Number.NEGATIVE_INFINITY);
  const place = (value: number): number => Math.round(((value - low) / (high - low || 1)) * cells);
  return stretches.map(([from, to]) => {
    const first = Math.min(place(from), cells - 1);
    return [first, Math.max(first, Math.min(place(to), cells) - 1)];
  });
}

/** The sign in the middle of a coloured block; without colours, a block of signs. */
function signs(cells: ReadonlyMap<number, Cell>, { width, rows }: Grid, drawing: Drawing): Line[] {
  return Array.from({ length: rows }, (_, row) => {
    const segments: Segment[] = [seg(' ')];
    for (let column = 0; column < width; column++) {
      const cell = cells.get(row * width + column);
      if (!cell) segments.push(seg(' '));
      else if (cell.isMiddle || drawing.colours === 0) segments.push(seg(cell.sign, cell.paint));
      else segments.push(seg(' ', cell.paint));
    }
    return segments;
  });
}

function halfBlocks(cells: ReadonlyMap<number, Cell>, { width, rows }: Grid): Line[] {
  return Array.from({ length: rows }, (_, row) => {
    const segments: Segment[] = [seg(' ')];
    for (let column = 0; column < width; column++) {
      const upper = cells.get(2 * row * width + column);
      const lower = cells.get((2 * row + 1) * width + column);
      if (upper && lower) segments.push(seg('▀', { fg: upper.paint.bg, bg: lower.paint.bg }));
      else if (upper) segments.push(seg('▀', { fg: upper.paint.bg }));
      else segments.push(lower ? seg('▄', { fg: lower.paint.bg }) : seg(' '));
    }
    return segments;
  });
}

/** Colours and signs don't name; this does. */
function summary(rois: readonly Roi[], shifts: Float64Array, empty: number, drawing: Drawing): Line {
  let least = -1;
  let most = -1;
  let unknown = 0;
  for (const [i, shift] of shifts.entries()) {
    if (!Number.isFinite(shift)) unknown++;
    else {
      if (least < 0 || shift < (shifts[least] as number)) least = i;
      if (most < 0 || shift > (shifts[most] as number)) most = i;
    }
  }
  const name = (i: number): string =>
    `${cleanText(rois[i]?.label ?? '', drawing)} ${signed(shifts[i] as number).trim()} px`;
  const words = [counted(rois.length, 'ROI') + (empty > 0 ? `, ${counted(empty, 'grating')} without one` : '')];
  if (least >= 0) words.push(`from ${name(least)}`, `to ${name(most)}`);
  if (unknown > 0) words.push(`${unknown} without a value`);
  return rois.length === 0 ? blank : [seg(` ${words.join(` ${drawing.dot} `)}`)];
}
