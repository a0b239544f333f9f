import { timeOfDay } from '../../model/localTime.ts';
import { measured, number, withError } from '../../model/quantity.ts';
import type { RoiHistory, RoiSample } from '../../model/roiHistory.ts';
import { sinceZero } from '../chart/readoutLine.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { windowTop } from '../scroll.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, exactly, type Line, type Segment, seg, titleRule } from '../views/line.ts';
import { shiftOf } from '../views/shifts.ts';
import { roiFilter } from './roiFilter.ts';
import { allRoiRows, driftMs, samplesOfLast, shownRoiRows } from './roiRows.ts';
import type { RoiColumn, RoiRow, RoisPage } from './roisPage.ts';

/** Title and heads of the columns. */
export const rowsAbove = 2;
/** From this width on the last hour is drawn beside the numbers. */
const widthForSparks = 76;
/** And the figures of the run. */
const widthForQuality = 96;
const mostSparks = 48;

/** A column of the table: where it stands, and what it says of a row. */
interface TableColumn {
  column: RoiColumn | null;
  head: string;
  width: number;
  left: boolean;
}

/** The filter that counts: also while it is being typed. */
const filterOf = ({ roisPage, overlay }: Pick<ConsoleState, 'roisPage' | 'overlay'>): string =>
  overlay?.kind === 'roiFilter' ? overlay.text : roisPage.filter;

/** The rows that are on the page, in their order. */
export const tableRows = (state: ConsoleState): RoiRow[] =>
  shownRoiRows(state, { ...state.roisPage, filter: filterOf(state) });

/** Place of the cursor: the selected row, else the first. */
export const cursorRow = (rows: readonly RoiRow[], selected: string | null): number =>
  Math.max(
    0,
    rows.findIndex(({ label }) => label === selected),
  );

/** The table of all ROIs by their last result. */
export function roiTable(state: ConsoleState, width: number, height: number): Line[] {
  const { roisPage, drawing, lastResult, history } = state;
  const all = allRoiRows(state).length;
  const rows = tableRows(state);
  const filter = filterOf(state);
  const { trouble } = roiFilter(filter);
  const count = rows.length === all ? `${number(all)} ROIs` : `${number(rows.length)} of ${number(all)} ROIs`;
  const name = all === 0 ? 'ROIs' : filter === '' || trouble ? count : `${count} with ${cleanText(filter, drawing)}`;
  const note: Segment[] = trouble
    ? [seg(`not understood: ${cleanText(trouble.word, drawing)}`, 'bad')]
    : lastResult
      ? [...sinceZero(state), seg(`${cleanText(lastResult.image, drawing)} ${timeText(lastResult.at)}`, 'accent')]
      : [];
  const title = titleRule(name, width, drawing, note);
  if (all === 0) return [title, [seg(' there is no ROI manifest yet, and no result', 'dim')]];
  const columns = tableColumns(rows, width, drawing);
  const room = Math.max(1, height - rowsAbove);
  const cursor = cursorRow(rows, roisPage.selected);
  const top = windowTop(cursor, rows.length, room);
  const recent = history ? samplesOfLast(history, driftMs) : [];
  const placeOf = new Map(history?.labels.map((label, i) => [label, i]));
  const lines = rows.slice(top, top + room).map((row, i): Line => {
    const isChosen = top + i === cursor;
    const cells = columns.map(({ column, width: wide, left }): Segment => {
      if (column === null) return seg(sparks(history, recent, placeOf.get(row.label), wide, drawing), 'accent');
      const text = onePoint(cleanText(cellText(row, column, drawing), drawing), column, wide);
      const shown = text.length > wide ? `${text.slice(0, wide - drawing.ellipsis.length)}${drawing.ellipsis}` : text;
      return seg(left ? shown.padEnd(wide) : shown.padStart(wide), cellTone(row, column));
    });
    const line = [seg(isChosen ? drawing.pointer : ' '), ...cells.flatMap(cell => [cell, seg(' ')])];
    const whole = exactly(line, width, drawing);
    return isChosen ? whole.map(({ text }) => seg(text, 'selected')) : whole;
  });
  if (rows.length === 0) lines.push([seg(' no ROI is like that: / changes the filter, Esc empties it', 'dim')]);
  return [title, heads(columns, roisPage, width, drawing), ...lines].slice(0, height);
}

/** The column whose head is at `x`. */
export function columnAt(state: ConsoleState, width: number, x: number): RoiColumn | null {
  let from = 1;
  for (const { column, width: wide } of tableColumns(tableRows(state), width, state.drawing)) {
    if (x >= from && x <= from + wide) return column;
    from += wide + 1;
  }
  return null;
}

function tableColumns(rows: readonly RoiRow[], width: number, { unicode }: Drawing): TableColumn[] {
  const isNarrow = width < widthForSparks;
  const longest = rows.reduce((most, { label }) => Math.max(most, label.length), 5);
  const numbers: TableColumn[] = [
    { column: 'label', head: 'ROI', width: Math.min(longest, isNarrow ? 8 : width < 100 ? 12 : 24), left: true },
    { column: 'shift', head: 'shift px', width: 9, left: false },
    { column: 'sigma', head: unicode ? 'σ px' : 'sigma', width: isNarrow ? 7 : 8, left: false },
    { column: 'chi', head: unicode ? 'χ²' : 'chi2', width: 5, left: false },
    { column: 'drift', head: 'drift px/h', width: unicode ? 20 : 21, left: false },
    ...(width >= widthForQuality && rows.some(({ quality }) => quality !== '')
      ? [
          { column: 'noise' as const, head: 'noise px', width: 8, left: false },
          { column: 'quality' as const, head: 'quality', width: 9, left: true },
        ]
      : []),
  ];
  const left = width - 2 - numbers.reduce((sum, column) => sum + column.width + 1, 0);
  if (isNarrow) return [...numbers, { column: 'flags', head: 'flags', width: Math.max(5, left), left: true }];
  const spark = Math.min(mostSparks, Math.max(12, Math.floor(left / 2)));
  return [
    ...numbers,
    { column: null, head: 'last hour', width: spark, left: true },
    { column: 'flags', head: 'flags', width: Math.max(5, left - spark - 1), left: true },
  ];
}

function heads(columns: readonly TableColumn[], page: RoisPage, width: number, drawing: Drawing): Line {
  const [up, down] = drawing.unicode ? ['▴', '▾'] : ['^', 'v'];
  const cells = columns.map(({ column, head, width: wide, left }) => {
    const isSorted = column === page.sort;
    const text = isSorted ? `${head}${page.isDescending ? down : up}` : head;
    return seg(`${left ? text.padEnd(wide) : text.padStart(wide)} `, isSorted ? 'accent' : 'dim');
  });
  return clip([seg(' '), ...cells], width, drawing);
}

export const timeText = (at: number): string => (Number.isFinite(at) ? timeOfDay(at) : '');

function cellText(row: RoiRow, column: RoiColumn, { unicode }: Drawing): string {
  switch (column) {
    case 'label':
      return row.label;
    case 'flags':
      return row.flags.join(' ');
    case 'quality':
      return row.quality;
    case 'chi':
      return chiText(row.chi);
    case 'shift':
      return shiftWords(row);
    case 'drift':
      return Number.isFinite(row.drift) ? withError(row.drift, row.driftSigma, { isSigned: true, unicode }) : '?';
    default:
      return sigmaText(row[column]);
  }
}

const decimalsInLine = 3;

/** Numbers of unlike many decimals have their points one below the other, where there is room. */
function onePoint(text: string, column: RoiColumn, width: number): string {
  const number = /^[+-]?\d+(\.\d*)?$/.exec(text);
  if (number === null || (column !== 'shift' && column !== 'sigma' && column !== 'noise')) return text;
  const point = number[1] === undefined ? decimalsInLine + 1 : decimalsInLine + 1 - number[1].length;
  return text.length + point > width ? text : text + ' '.repeat(Math.max(0, point));
}

/** With as many decimals as its error asks for; a ROI without a shift says so. */
const shiftWords = ({ shift, sigma }: RoiRow): string =>
  Number.isFinite(shift) ? measured(shift, sigma, true)[0] : 'none';

/** `+0.0123 ± 0.0011 px`; `no shift`. */
export const shiftWithError = (shift: number, sigma: number, { unicode }: Pick<Drawing, 'unicode'>): string =>
  Number.isFinite(shift) ? `${withError(shift, sigma, { isSigned: true, unicode })} px` : 'none';

/** A standard error, or a noise, to two figures. */
export const sigmaText = (sigma: number): string => measured(Number.NaN, sigma)[1];

export function chiText(chi: number): string {
  if (!Number.isFinite(chi)) return '?';
  return chi >= 1000 ? chi.toPrecision(2).replace('e+', 'e') : chi.toFixed(chi >= 100 ? 0 : 2);
}

function cellTone(row: RoiRow, column: RoiColumn): 'plain' | 'warning' | 'bad' | 'strong' | 'dim' {
  if (column === 'flags') return row.flags.includes('lost') ? 'bad' : 'warning';
  if (column === 'label') return row.flags.length > 0 ? 'warning' : 'strong';
  if (column === 'quality') return row.quality === 'good' ? 'plain' : 'warning';
  return Number.isNaN(row[column]) ? 'dim' : 'plain';
}

/** The means of equal stretches of the last hour, between the least and the greatest of them; a stretch without a value is blank. */
function sparks(
  history: RoiHistory | null,
  samples: readonly RoiSample[],
  place: number | undefined,
  width: number,
  { levels }: Pick<Drawing, 'levels'>,
): string {
  if (!history || place === undefined || samples.length === 0) return ' '.repeat(width);
  const [from, to] = [samples[0]!.at, samples.at(-1)!.at];
  // Few samples stand side by side, without gaps that are none.
  const columns = Math.min(width, samples.length);
  const sums = new Float64Array(columns);
  const counts = new Float64Array(columns);
  for (const sample of samples) {
    const shift = shiftOf(sample, place);
    if (!Number.isFinite(shift)) continue;
    const at = Math.min(columns - 1, Math.floor(((sample.at - from) / (to - from || 1)) * columns));
    sums[at] += shift * sample.frames;
    counts[at] += sample.frames;
  }
  const means = sums.map((sum, i) => sum / counts[i]);
  const known = means.filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const top = levels.length - 1;
  return Array.from(means, mean =>
    Number.isFinite(mean) ? levels[1 + Math.round(((mean - low) / (high - low || 1)) * (top - 1))] : ' ',
  )
    .join('')
    .padEnd(width);
}
