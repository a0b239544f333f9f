import { counted, withError } from '../../model/quantity.ts';
import type { ChipShift } from '../../model/result.ts';
import type { Roi } from '../../model/roi.ts';
import { sinceZero } from '../chart/readoutLine.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { allRoiRows } from '../rois/roiRows.ts';
import type { RoiRow } from '../rois/roisPage.ts';
import { chiText, shiftWithError } from '../rois/roiTable.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, type Ink, type Line, lineText, type Paint, type Segment, seg, titleRule } from '../views/line.ts';
import { lastChipShift, signed } from '../views/shifts.ts';
import { type ChipColouring, chipColouring } from './chipColouring.ts';
import { type GratingPlace, gratingPlaces } from './gratingPlaces.ts';

/** Heading, summary and legend; on its page also what the cursor is on. */
const otherRows = ({ page }: Pick<ConsoleState, 'page'>): number => (page === 'chip' ? 4 : 3);

/**
 * Every grating's ROI at its place, by its last shift or what else the colours say, and the gratings of the chip that have none; extreme values by
 * name, what colours and signs mean, and what the cursor is on.
 */
export function chipLines(state: ConsoleState, width: number, height: number): Line[] {
  const { rois, history, drawing, page } = state;
  const shown = shownChip(state);
  const title = heading(
    shown?.colouring.title ?? 'shift of each ROI',
    history && lastChipShift(history),
    sinceZero(state),
    width,
    drawing,
  );
  if (!rois || !shown) return [title, [seg(' there is no ROI manifest yet', 'dim')]];
  const { rows, colouring, gratings, cursor } = shown;
  return [
    title,
    ...mapLines(shown, gridOf(state, width, height)),
    ...(page === 'chip' ? [cursorLine(rows[cursor ?? 0], drawing)] : []),
    summary(rows, colouring, gratings.filter(({ hasRoi }) => !hasRoi).length, drawing),
    colouring.legend(width),
  ]
    .slice(0, height)
    .map(each => clip(each, width, drawing));
}

/** A map by itself, with one ROI marked: where it lies among the others. */
export function placeLines(state: ConsoleState, width: number, height: number): Line[] {
  const shown = shownChip({ ...state, page: 'chip' });
  return shown ? mapLines(shown, { width: width - 2, rows: height }) : [[seg(' there is no ROI manifest yet', 'dim')]];
}

/** Place in the manifest of the ROI that is drawn at a column and row of the panel; null: none is. */
export function roiAt(state: ConsoleState, width: number, height: number, x: number, y: number): number | null {
  const shown = shownChip(state);
  if (!shown) return null;
  const grid = gridOf(state, width, height);
  const blocks = cellsOf(shown, grid, 'whole');
  const at = (cells: Map<number, Cell>, row: number): number | null => cells.get(row * grid.width + x - 1)?.roi ?? null;
  if (!blocks.isCrowded) return at(blocks.cells, y - 1);
  const halves = cellsOf(shown, { ...grid, rows: grid.rows * 2 }, 'whole').cells;
  return at(halves, 2 * (y - 1)) ?? at(halves, 2 * (y - 1) + 1);
}

const gridOf = (state: ConsoleState, width: number, height: number): Grid => ({
  width: width - 2,
  rows: Math.max(1, height - otherRows(state)),
});

function shownChip(state: ConsoleState): Shown | null {
  const { rois, chips, drawing, page, roisPage } = state;
  if (!rois || rois.rois.length === 0) return null;
  const rows = allRoiRows(state);
  const cursor =
    page === 'chip'
      ? Math.max(
          0,
          rows.findIndex(({ label }) => label === roisPage.selected),
        )
      : null;
  const colouring = chipColouring(page === 'chip' ? roisPage.colouredBy : 'shift', rows, drawing);
  return { rois: rois.rois, rows, cursor, gratings: gratingPlaces(rois, chips), colouring, drawing };
}

/** With how far the chip has moved, where that is known. */
function heading(what: string, moved: ChipShift | null, since: Segment[], width: number, drawing: Drawing): Line {
  const long = `Chip: ${what}`;
  if (!moved) return titleRule(long, width, drawing, since.slice(0, 1));
  const [dx, dy] = [moved.dx, moved.dy].map(value => signed(Number(value.toFixed(2))).trim());
  const angle = signed(Number(moved.angle.toFixed(3))).trim();
  const note = `chip moved x ${dx} y ${dy} px, ${angle}${drawing.unicode ? '°' : ' deg'}`;
  const title = titleRule(long, width, drawing, [...since, seg(note, 'accent')]);
  return lineText(title).includes(note) ? title : titleRule('Chip', width, drawing, [...since, seg(note, 'accent')]);
}

interface Grid {
  width: number;
  rows: number;
}

/** What the map shows. */
interface Shown {
  rois: readonly Roi[];
  /** Of the same ROIs. */
  rows: readonly RoiRow[];
  /** Place of the ROI under the cursor; null: there is no cursor. */
  cursor: number | null;
  gratings: readonly GratingPlace[];
  colouring: ChipColouring;
  drawing: Drawing;
}

interface Cell {
  sign: string;
  paint: Paint & { bg: Ink };
  isMiddle: boolean;
  /** A letter of a grating's name. */
  isName?: true;
  /** Place of the ROI; null: a grating without one. */
  roi: number | null;
}

/** A grating without a ROI. */
const emptyPaint = { fg: 'emptyText', bg: 'empty' } as const;
const emptySign = '-';

/** ROIs as blocks with their sign or number; where these would touch, in half blocks; where there are none, a sign each. */
function mapLines(shown: Shown, grid: Grid): Line[] {
  const { drawing } = shown;
  const blocks = cellsOf(shown, grid, 'whole');
  if (!blocks.isCrowded) {
    for (const place of blocks.names) writeName(place, blocks.cells, grid, drawing);
    for (const place of blocks.numbers) writeNumber(place, blocks.cells, grid, drawing);
    return signs(blocks.cells, grid, shown);
  }
  if (drawing.unicode && drawing.colours === 256) {
    return halfBlocks(cellsOf(shown, { ...grid, rows: grid.rows * 2 }, 'whole').cells, grid, shown.cursor);
  }
  return signs(cellsOf(shown, grid, 'middle').cells, grid, shown);
}

/**
 * The cells of a grid that ROIs and gratings fill from edge to edge, row by row. Of ROIs that share one, it shows the one under the cursor, else the
 * one that stands out; a grating without a ROI gives way.
 */
function cellsOf(
  { rois, rows: values, cursor, gratings, colouring }: Shown,
  { width, rows }: Grid,
  extent: 'whole' | 'middle',
): { cells: Map<number, Cell>; names: NamePlace[]; numbers: NumberPlace[]; isCrowded: boolean } {
  const places = [...rois, ...gratings];
  const across = spans(
    places.map(({ coords, size }) => [coords[1], coords[1] + size[1]]),
    width,
  );
  const down = spans(
    places.map(({ coords, size }) => [coords[0], coords[0] + size[0]]),
    rows,
  );
  const weights = new Map<number, number>();
  const cells = new Map<number, Cell>();
  const numbers: NumberPlace[] = [];
  let isCrowded = false;
  for (const i of places.keys()) {
    const [[x0, x1], [y0, y1]] = [across[i] as Span, down[i] as Span];
    const isGrating = i >= rois.length;
    if (gratings[i - rois.length]?.hasRoi) continue;
    const look = isGrating
      ? { sign: emptySign, paint: emptyPaint, text: '', weight: -2 }
      : colouring.look(values[i] as RoiRow);
    const weight = i === cursor ? Number.POSITIVE_INFINITY : look.weight;
    const [middleX, middleY] = [(x0 + x1) >> 1, (y0 + y1) >> 1];
    const isWhole = extent === 'whole';
    for (let y = isWhole ? y0 : middleY; y <= (isWhole ? y1 : middleY); y++) {
      for (let x = isWhole ? x0 : middleX; x <= (isWhole ? x1 : middleX); x++) {
        const at = y * width + x;
        const before = weights.get(at);
        isCrowded ||= before !== undefined;
        if (before !== undefined && before >= weight) continue;
        weights.set(at, weight);
        const isMiddle = x === middleX && y === middleY;
        cells.set(at, { sign: look.sign, paint: look.paint, isMiddle, roi: isGrating ? null : i });
      }
    }
    if (!isGrating) numbers.push({ text: look.text, across: [x0, x1], down: [y0, y1] });
  }
  const names = gratings.map((grating, i) => ({
    grating,
    across: across[rois.length + i] as Span,
    down: down[rois.length + i] as Span,
  }));
  return { cells, names, numbers, isCrowded };
}

interface NamePlace {
  grating: GratingPlace;
  across: Span;
  down: Span;
}

interface NumberPlace {
  text: string;
  across: Span;
  down: Span;
}

/** In the place of the sign, in the middle row of a ROI that is wide enough. Without colours signs are left on both sides. */
function writeNumber(
  { text, across: [x0, x1], down: [y0, y1] }: NumberPlace,
  cells: Map<number, Cell>,
  { width }: Grid,
  { colours }: Drawing,
): void {
  const room = x1 - x0 + 1;
  const isOfSigns = colours === 0;
  const words = isOfSigns ? ` ${text} ` : text;
  if (text.length < (isOfSigns ? 2 : 1) || words.length > room - (isOfSigns ? 2 : 0)) return;
  const row = ((y0 + y1) >> 1) * width;
  const places = Array.from({ length: room }, (_, i) => row + x0 + i);
  if (places.some(at => cells.get(at)?.isName)) return;
  for (const at of places) {
    const cell = cells.get(at);
    if (cell) cells.set(at, { ...cell, isMiddle: false });
  }
  const from = row + x0 + Math.floor((room - words.length) / 2);
  for (const [i, sign] of [...words].entries()) {
    const cell = cells.get(from + i);
    if (cell) cells.set(from + i, { ...cell, sign, isMiddle: true });
  }
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
  for (const [i, sign] of [...text].entries())
    cells.set(from + i, { ...under[i]!, sign, isMiddle: true, isName: true });
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

/** The sign in the middle of a coloured block; without colours, a block of signs. The ROI under the cursor stands out. */
function signs(cells: ReadonlyMap<number, Cell>, { width, rows }: Grid, { drawing, cursor }: Shown): Line[] {
  return Array.from({ length: rows }, (_, row) => {
    const segments: Segment[] = [seg(' ')];
    for (let column = 0; column < width; column++) {
      const cell = cells.get(row * width + column);
      const style = cell && cell.roi !== null && cell.roi === cursor ? 'selected' : cell?.paint;
      if (!cell) segments.push(seg(' '));
      else if (cell.isMiddle || drawing.colours === 0) segments.push(seg(cell.sign, style));
      else segments.push(seg(' ', style));
    }
    return segments;
  });
}

function halfBlocks(cells: ReadonlyMap<number, Cell>, { width, rows }: Grid, cursor: number | null): Line[] {
  const ink = (cell: Cell): Ink => (cell.roi !== null && cell.roi === cursor ? 'outline' : cell.paint.bg);
  return Array.from({ length: rows }, (_, row) => {
    const segments: Segment[] = [seg(' ')];
    for (let column = 0; column < width; column++) {
      const upper = cells.get(2 * row * width + column);
      const lower = cells.get((2 * row + 1) * width + column);
      if (upper && lower) segments.push(seg('▀', { fg: ink(upper), bg: ink(lower) }));
      else if (upper) segments.push(seg('▀', { fg: ink(upper) }));
      else segments.push(lower ? seg('▄', { fg: ink(lower) }) : seg(' '));
    }
    return segments;
  });
}

/** Colours and signs don't name; this does. */
function summary(rows: readonly RoiRow[], { value, look, unit }: ChipColouring, empty: number, drawing: Drawing): Line {
  let least: RoiRow | null = null;
  let most: RoiRow | null = null;
  let unknown = 0;
  for (const row of rows) {
    const of = value(row);
    if (!Number.isFinite(of)) unknown++;
    else {
      if (!least || of < value(least)) least = row;
      if (!most || of > value(most)) most = row;
    }
  }
  const name = (row: RoiRow): string => `${cleanText(row.label, drawing)} ${look(row).text}${unit}`;
  const words = [counted(rows.length, 'ROI') + (empty > 0 ? `, ${counted(empty, 'grating')} without one` : '')];
  if (least && most && value(least) !== value(most)) words.push(`from ${name(least)}`, `to ${name(most)}`);
  if (unknown > 0) words.push(`${unknown} without a value`);
  return [seg(` ${words.join(` ${drawing.dot} `)}`)];
}

/** All numbers of the ROI under the cursor. */
function cursorLine(row: RoiRow | undefined, drawing: Drawing): Line {
  if (!row) return [];
  const { unicode } = drawing;
  return [
    seg(` ${drawing.pointer} `, 'accent'),
    seg(cleanText(row.label, drawing), 'strong'),
    seg(`  shift ${shiftWithError(row.shift, row.sigma, drawing)}  ${unicode ? 'χ²' : 'chi2'} ${chiText(row.chi)}`),
    ...(Number.isFinite(row.drift)
      ? [seg(`  drift ${withError(row.drift, row.driftSigma, { isSigned: true, unicode })} px/h`)]
      : []),
    seg(row.flags.length > 0 ? `  ${row.flags.join(' ')}` : '', 'warning'),
  ];
}
