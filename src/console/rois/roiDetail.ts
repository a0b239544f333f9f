import { gapsBefore } from '../../model/gaps.ts';
import { withError } from '../../model/quantity.ts';
import type { RoiHistory, RoiSample } from '../../model/roiHistory.ts';
import type { RoiQuality } from '../../model/roiQuality.ts';
import { zeroOf } from '../chart/chartData.ts';
import { sinceZero } from '../chart/readoutLine.ts';
import { placeLines } from '../chip/chipLines.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, exactly, type Line, paragraph, seg, titleRule } from '../views/line.ts';
import { shiftOf } from '../views/shifts.ts';
import { textPlot } from '../views/textPlot.ts';
import { timeTicks } from '../views/ticks.ts';
import { inspectionParts, type RoiPart, roiFigures } from './roiParts.ts';
import { allRoiRows } from './roiRows.ts';
import type { RoiRow } from './roisPage.ts';
import { chiText, cursorRow, shiftWithError, sigmaText, tableRows, timeText } from './roiTable.ts';

/** The ROI that fills the page; null: none does. */
export const openedRoi = ({ page, roisPage }: Pick<ConsoleState, 'page' | 'roisPage'>): string | null =>
  page === 'ROIs' && roisPage.openedFrom !== null ? roisPage.selected : null;

/** From so many columns on parts stand side by side: two, and three. */
const forTwo = 100;
const forThree = 168;
/** Rows of a part, with its title. */
const partRows = 9;
/** Smallest span of the shift's axis, pixels. */
const leastShift = 0.002;

/** One ROI: its figures, and as many of its parts as there is room for. */
export function roiDetail(state: ConsoleState, width: number, height: number): Line[] {
  const { roisPage, roiLook, drawing } = state;
  const label = roisPage.selected ?? '';
  const rows = roisPage.openedFrom === 'chip' ? allRoiRows(state) : tableRows(state);
  const look = roiLook?.label === label ? roiLook : null;
  const zero = zeroOf(state.chart.zero, label);
  const note = look
    ? [...sinceZero(state), seg(`${cleanText(look.image, drawing)} ${timeText(look.at)}`, 'accent')]
    : [];
  const place = `${cursorRow(rows, label) + 1} of ${rows.length}`;
  const title = titleRule(`ROI ${cleanText(label, drawing)} ${drawing.dot} ${place}`, width, drawing, note);
  const seen = look && typeof look.seen !== 'string' ? look.seen : null;
  const head = seen
    ? [
        ...roiFigures(seen.inspection, drawing, zero),
        ...(seen.differences.length > 0
          ? [[seg(` the result line has other numbers: ${cleanText(seen.differences.join('; '), drawing)}`, 'warning')]]
          : []),
      ]
    : [...lastFigures(state, label), ...waiting(look?.seen, width, drawing)];
  const row = rows.find(each => each.label === label);
  const figures = row ? runFigures(row, state.qualities.get(label), drawing) : [];
  if (figures.length > 0) head.push(figures);
  const parts = [
    ...(seen ? inspectionParts(seen.inspection, drawing) : []),
    historyPart(state, label, zero),
    placePart(state),
  ];
  const room = height - 1 - head.length;
  return [
    title,
    ...head.map(each => clip(each, width, drawing)),
    ...arranged(parts, roisPage.part, width, room, drawing),
  ].slice(0, height);
}

/** How many parts a page of this size has beside each other and below each other. */
function arranged(parts: readonly RoiPart[], first: number, width: number, height: number, drawing: Drawing): Line[] {
  const across = width >= forThree ? 3 : width >= forTwo ? 2 : 1;
  const down = Math.max(1, Math.min(Math.ceil(parts.length / across), Math.floor(height / partRows)));
  const shown = Math.min(parts.length, across * down);
  const begin = ((first % parts.length) + parts.length) % parts.length;
  const chosen = Array.from({ length: shown }, (_, i) => parts[(begin + i) % parts.length] as RoiPart);
  const columnWidth = Math.floor((width - (across - 1)) / across);
  const rows = Math.floor(height / down);
  const lines: Line[] = [];
  for (let row = 0; row < down; row++) {
    const cells = chosen.slice(row * across, (row + 1) * across).map(({ title, lines: of }, i) => {
      const isLast = row * across + i === shown - 1 && shown < parts.length;
      const more = isLast ? [seg('v more', 'dim')] : [];
      return [titleRule(title, columnWidth, drawing, more), ...of(columnWidth, Math.max(2, rows - 1))];
    });
    for (let i = 0; i < rows; i++)
      lines.push(
        cells.flatMap((cell, k) => [...(k > 0 ? [seg(' ')] : []), ...exactly(cell[i] ?? [], columnWidth, drawing)]),
      );
  }
  return lines;
}

/** The drift of the last hour, and what the figures of the run say. */
function runFigures({ drift, driftSigma }: RoiRow, quality: RoiQuality | undefined, drawing: Drawing): Line {
  const { unicode } = drawing;
  const slope: Line = Number.isFinite(drift)
    ? [seg(' drift ', 'dim'), seg(`${withError(drift, driftSigma, { isSigned: true, unicode })} px/h `)]
    : [];
  if (!quality) return slope;
  const { noise, word, reason } = quality;
  return [
    ...slope,
    seg(' noise ', 'dim'),
    seg(`${sigmaText(noise)} px`),
    seg('  quality ', 'dim'),
    seg(cleanText(reason === '' ? word : `${word}: ${reason}`, drawing), word === 'good' ? 'plain' : 'warning'),
  ];
}

/** What is known before the frame was read. */
function lastFigures(state: ConsoleState, label: string): Line[] {
  const row = allRoiRows(state).find(each => each.label === label);
  if (!row) return [];
  return [
    [
      seg(' shift ', 'dim'),
      seg(shiftWithError(row.shift, row.sigma, state.drawing), 'strong'),
      seg(state.drawing.unicode ? '  χ² ' : '  chi2 ', 'dim'),
      seg(chiText(row.chi)),
      seg(row.flags.length > 0 ? `  ${row.flags.join(', ')}` : '', 'warning'),
    ],
  ];
}

function waiting(trouble: unknown, width: number, drawing: Drawing): Line[] {
  if (typeof trouble !== 'string') return [[seg(' the last frame is being read', 'dim')]];
  return paragraph(`the last frame can't be looked into: ${trouble}`, width - 1, 3, 'warning', drawing).map(each => [
    seg(' '),
    ...each,
  ]);
}

/** The shift over all that is known. */
function historyPart({ history, drawing }: ConsoleState, label: string, zero: number): RoiPart {
  return {
    title: 'shift against time, px',
    least: 6,
    most: 20,
    lines: (width, height) => {
      const place = history?.labels.indexOf(label) ?? -1;
      if (!history || place < 0 || history.samples.length === 0) return [[seg(' no result yet', 'dim')]];
      const shifts = shiftsOf(history, place, zero);
      if (!shifts.ys.some(Number.isFinite)) return [[seg(' no shift yet', 'dim')]];
      return textPlot([{ colour: 'median', letter: '*', ...shifts }], timeOptions(history, width, height), drawing);
    },
  };
}

/** Where it lies on the chip. */
const placePart = (state: ConsoleState): RoiPart => ({
  title: 'place on the chip',
  least: 5,
  most: 20,
  lines: (width, height) => placeLines(state, width, height),
});

function shiftsOf({ samples }: RoiHistory, place: number, zero: number): { xs: number[]; ys: number[] } {
  const gaps = gapsBefore(
    samples.map(({ at }) => at),
    point => samples[point]!.frames,
  );
  const xs: number[] = [];
  const ys: number[] = [];
  for (const [i, sample] of samples.entries()) {
    if (gaps[i] === 1) {
      xs.push(sample.at);
      ys.push(Number.NaN);
    }
    xs.push(sample.at);
    ys.push(shiftOf(sample, place) - zero);
  }
  return { xs, ys };
}

function timeOptions({ samples }: RoiHistory, width: number, height: number) {
  const low = (samples[0] as RoiSample).at;
  const x = { low, high: Math.max(low + 1000, (samples.at(-1) as RoiSample).at) };
  return { width, height, x, least: leastShift, ticks: timeTicks(x, Math.max(1, Math.floor(width / 16))) };
}
