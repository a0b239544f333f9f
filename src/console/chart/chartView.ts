import { zoneHere } from '../../model/localTime.ts';
import { duration } from '../../model/quantity.ts';
import { jumpBit } from '../../model/result.ts';
import type { RoiHistory } from '../../model/roiHistory.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import type { Rect } from '../layout.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, type Line, lineWidth, type Segment, seg, titleRule } from '../views/line.ts';
import type { PanelContent, PanelView } from '../views/panelView.ts';
import { dotsAcross, dotsDown, Raster } from '../views/raster.ts';
import { figured } from '../views/shifts.ts';
import { type Range, timeTicks, valueTicks } from '../views/ticks.ts';
import { type ChartData, type Curve, chartData } from './chartData.ts';
import { zoomOf, zooms, zoomTitles } from './chartState.ts';
import { chartTime, gutter, liveEnd, plotColumns, timeEnd } from './chartTime.ts';
import { shownHistory } from './closeRequest.ts';
import { type ChartTime, type Column, columnAt } from './columns.ts';
import { markSigns, marksLine } from './markLines.ts';
import { columnText, readoutLine } from './readoutLine.ts';
import { cutBy, robustScale, type Scale } from './valueScale.ts';

/** Below so many rows the temperature has no plot of its own, and nothing is read out. */
const rowsForTwoPlots = 13;
const rowsForReadout = 10;
/** Below so many columns the title is short. */
const narrow = 100;
/** Smallest spans of the axes: noise below them is not blown up to a drama. Pixels, degrees. */
const minShift = 0.002;
const minWarmth = 0.2;
/** Columns that one time of day takes, with room; rows that one number does. */
const timeWidth = 14;
const rowsPerTick = 3;
/** The ends of a range are drawn where they are more dots away from the median. */
const leastTip = 2;

export const chartPanel: PanelView = {
  depends: state => {
    const { history, chart, page, drawing } = state;
    const columns = plotColumns(state.columns);
    const time = history && chartTime(state, history, columns);
    return [history, chart, page, drawing, time && Math.floor(timeEnd(time) / time.columnMs)];
  },
  content: chartView,
};

/** The live chart: shifts against time, the temperature below, what is read at the cursor, and what the curves are. */
function chartView(state: ConsoleState, { width, height }: Rect): PanelContent {
  const { drawing, chart } = state;
  const whole = state.history;
  if (!whole || whole.samples.length === 0) {
    return { lines: [titleRule('Shift, px', width, drawing), [seg(' no result yet', 'dim')]].slice(0, height) };
  }
  const time = chartTime(state, whole, plotColumns(width));
  const history = shownHistory(state, time) ?? whole;
  const data = chartData(history, chart, time);
  const hasReadout = height >= rowsForReadout;
  const marks = hasReadout && height >= rowsForTwoPlots ? marksLine(state, time, width) : null;
  const below = [
    ...(hasReadout ? [readoutLine(state, history, data, time, width)] : []),
    ...(marks ? [marks] : []),
    ...legendLines(data, time, width, height >= 12 ? 2 : 1, state),
  ];
  const rows = height - 1 - below.length - 2;
  const lower = data.warmth.length > 0 && rows >= rowsForTwoPlots ? Math.max(4, Math.floor(rows * 0.28)) : 0;
  const scale = scaleOf(state, data);
  const upper = plotLines(data.shifts, scale, time, rows - lower, state);
  const warmth =
    lower > 0
      ? robustScale(
          data.warmth.map(({ columns }) => columns),
          minWarmth,
        )
      : null;
  const lines = [
    titleLine(state, whole, data, time, scale, width),
    ...upper,
    ...(lower > 0 ? plotLines(data.warmth, warmth, time, lower, state) : []),
    axisLine(state, data, time),
    timesLine(time),
    ...below,
  ];
  return { lines: lines.slice(0, height).map(each => clip(each, width, drawing)) };
}

export function scaleOf({ chart: { scale } }: ConsoleState, { shifts }: ChartData): Scale | null {
  const curves = shifts.map(({ columns }) => columns);
  return typeof scale === 'string' ? robustScale(curves, minShift, scale === 'all') : cutBy(curves, scale);
}

function titleLine(
  state: ConsoleState,
  whole: RoiHistory,
  data: ChartData,
  time: ChartTime,
  scale: Scale | null,
  width: number,
): Line {
  const { chart, now, drawing } = state;
  const isShort = width < narrow;
  const hasShift = data.shifts.some(curve => curve.hasShift);
  const from = hasShift ? 'the reference' : 'the first frame';
  const what = hasShift ? 'Shift' : 'Shift: none yet; position';
  const since = chart.zero === null ? from : columnText(chart.zero.at, 1_000, now);
  const title = isShort && chart.zero === null ? `${what}, px` : `${what} since ${since}, px`;
  const zoom = zoomOf(chart, whole, liveEnd(state, whole));
  const span = chart.end === null && zooms[zoom] !== null ? `last ${zoomTitles[zoom]}` : zoomTitles[zoom]!;
  const frames = framesOfColumn(data);
  const counted = `${frames} ${frames === 1 ? 'frame' : 'frames'}`;
  const column = isShort ? `${counted}/col` : `a column is ${duration(time.columnMs)}, ${counted}`;
  const cut = [scale?.above ? `${scale.above} above` : '', scale?.below ? `${scale.below} below` : '']
    .filter(text => text !== '')
    .join(', ');
  const shown = isShort ? cut : `${cut === '' ? '' : `${cut.replace(/(\d+) /, '$1 points ')}: f shows them`}`;
  const notes = [`${span}`, column, zoneHere(timeEnd(time))].join(` ${drawing.dot} `);
  return titleRule(title, width, drawing, [
    ...(shown === '' ? [] : [seg(`${shown} `, 'warning')]),
    ...(chart.end === null ? [] : [seg('held, End follows ', 'warning')]),
    seg(notes, 'accent'),
  ]);
}

/** Of how many frames most columns are. */
function framesOfColumn({ shifts }: ChartData): number {
  const counts = shifts
    .at(-1)!
    .columns.flatMap(column => (column ? [column.frames] : []))
    .sort((a, b) => a - b);
  return Math.round(counts[counts.length >> 1] ?? 0);
}

/** Numbers, axis, the curves, and letters at their right ends. */
function plotLines(
  curves: readonly Curve[],
  scale: Scale | null,
  time: ChartTime,
  height: number,
  state: ConsoleState,
): Line[] {
  const { drawing } = state;
  if (height <= 0) return [];
  if (!scale) {
    const note: Line = [seg(' '.repeat(gutter)), seg('no frame in this time: - shows more, End goes to now', 'dim')];
    return Array.from({ length: height }, (_, i) => (i === height >> 1 ? note : []));
  }
  const raster = new Raster(time.columns, height);
  drawCurves(raster, curves, scale, state);
  drawSigns(raster, curves, scale, time, state);
  const labels = new Map<number, string>();
  for (const { value, text } of valueTicks(scale, Math.max(1, Math.round(height / rowsPerTick)))) {
    labels.set(Math.floor(dotOf(value, scale, height) / dotsDown), text);
  }
  const ends = endLetters(curves, scale, height);
  return raster.lines(drawing).map((line, row) => {
    const end = ends.get(row);
    return [
      seg((labels.get(row) ?? '').slice(0, gutter - 2).padStart(gutter - 2), 'dim'),
      seg(` ${drawing.vertical}`, 'dim'),
      ...line,
      ...(end ? [seg(` ${end.letter}`, { fg: end.colour })] : []),
    ];
  });
}

/** Row of dots of a value, from the top; far outside is just outside. */
function dotOf(value: number, { low, high }: Range, height: number): number {
  const down = height * dotsDown - 1;
  const y = Math.round((1 - (value - low) / (high - low || 1)) * down);
  return Math.max(-dotsDown, Math.min(down + dotsDown, y));
}

/** The range of each column, then the medians, joined where there is no gap; the curve that is read lies on top. */
function drawCurves(raster: Raster, curves: readonly Curve[], scale: Scale, { chart }: ConsoleState): void {
  const isRead = ({ name, letter }: Curve): boolean => (chart.focus === null ? letter === 'M' : name === chart.focus);
  const y = (value: number): number => dotOf(value, scale, raster.height);
  for (const curve of curves) {
    for (const [k, column] of curve.columns.entries()) {
      if (!column || column.high === column.low) continue;
      const [top, bottom] = [y(column.high), y(column.low)];
      const x = k * dotsAcross;
      if (isRead(curve)) {
        const pen = { letter: ':', style: 'dim', rank: 1 } as const;
        for (let at = top; at <= bottom; at++) raster.dot(x, at, pen);
      } else {
        const pen = { letter: '.', style: { fg: curve.colour }, rank: 2 } as const;
        const at = y(column.median);
        if (at - top > leastTip) raster.dot(x, top, pen);
        if (bottom - at > leastTip) raster.dot(x, bottom, pen);
      }
    }
  }
  for (const curve of curves) {
    const pen = { letter: curve.letter, style: { fg: curve.colour }, rank: isRead(curve) ? 4 : 3 } as const;
    let before: [x: number, y: number] | null = null;
    for (const [k, column] of curve.columns.entries()) {
      if (!column) continue;
      const [x, at] = [k * dotsAcross, y(column.median)];
      if (before && column.joined) raster.stroke(...before, x, at, pen);
      raster.stroke(x, at, x + 1, at, pen);
      before = [x + 1, at];
    }
  }
}

/** A jump since the frame before is no fault of the frame: it may be what the experiment is about. */
const flagSign = (flags: number, jump: number, unicode: boolean): string =>
  (flags & ~jump) === 0 ? (unicode ? '∆' : '~') : unicode ? '×' : 'x';

/** What was cut, flags, the cursor, and zero. */
function drawSigns(raster: Raster, curves: readonly Curve[], scale: Scale, time: ChartTime, state: ConsoleState): void {
  const { drawing, chart, history } = state;
  const { unicode } = drawing;
  const jump = jumpBit(history?.flagNames ?? []);
  const row = (value: number): number => Math.floor(dotOf(value, scale, raster.height) / dotsDown);
  for (const { columns, colour } of curves) {
    for (const [k, column] of columns.entries()) {
      if (!column) continue;
      const style = { fg: colour };
      if (column.flags !== 0) raster.sign(k, row(column.median), flagSign(column.flags, jump, unicode), style);
      if (column.high > scale.high) raster.sign(k, 0, unicode ? '▲' : '^', style);
      if (column.low < scale.low) raster.sign(k, raster.height - 1, unicode ? '▼' : 'v', style);
    }
  }
  if (chart.cursor !== null) {
    const k = columnAt(time, chart.cursor);
    for (let at = 0; at < raster.height; at++) raster.sign(k, at, drawing.vertical, 'accent', true);
  }
  if (scale.low <= 0 && scale.high >= 0)
    for (let k = 0; k < raster.width; k++) raster.sign(k, row(0), unicode ? '┈' : '-', 'dim', true);
}

/** Which letter stands beside which row: each at its curve's last value, or as near as there is room. */
function endLetters(curves: readonly Curve[], scale: Scale, height: number): Map<number, Curve> {
  const taken = new Map<number, Curve>();
  for (const curve of curves.toReversed()) {
    const last = curve.columns.findLast(column => column !== null);
    if (!last) continue;
    const row = Math.max(0, Math.min(height - 1, Math.floor(dotOf(last.median, scale, height) / dotsDown)));
    for (let off = 0; off < height; off++) {
      const free = [row + off, row - off].find(each => each >= 0 && each < height && !taken.has(each));
      if (free === undefined) continue;
      taken.set(free, curve);
      break;
    }
  }
  return taken;
}

/** The axis is drawn where frames went on, and is open where there were none; marks stand on it. */
function axisLine(state: ConsoleState, { shifts, warmth }: ChartData, time: ChartTime): Line {
  const { drawing } = state;
  const isCovered = new Array<boolean>(time.columns).fill(false);
  for (const { columns } of [...shifts, ...warmth]) cover(columns, isCovered);
  const signs = markSigns(state, time);
  const pieces: Segment[] = [seg(' '.repeat(gutter - 1)), seg(drawing.unicode ? '└' : '+', 'dim')];
  for (const [k, covered] of isCovered.entries()) {
    const sign = signs.get(k);
    pieces.push(sign ? seg(sign, 'accent') : seg(covered ? drawing.rule : ' ', 'dim'));
  }
  return pieces;
}

function cover(columns: readonly (Column | null)[], isCovered: boolean[]): void {
  let before = -1;
  for (const [k, column] of columns.entries()) {
    if (!column) continue;
    for (let at = column.joined ? before + 1 : k; at <= k; at++) isCovered[at] = true;
    before = k;
  }
}

function timesLine(time: ChartTime): Line {
  let text = ' '.repeat(gutter);
  const range = { low: time.low, high: timeEnd(time) };
  const labels = Math.max(1, Math.floor(time.columns / timeWidth));
  for (const { value, text: label } of timeTicks(range, labels)) {
    const middle = gutter + (value - time.low) / time.columnMs;
    const at = Math.max(
      gutter - 2,
      Math.min(gutter + time.columns - label.length, Math.round(middle - label.length / 2)),
    );
    if (at > text.length || text.trim() === '') text = text.padEnd(at).slice(0, at) + label;
  }
  return [seg(text, 'dim')];
}

/** `a A1_N +0.0123`, as many as fit: what each curve has at the cursor, else last. */
function legendLines(
  { shifts, warmth }: ChartData,
  time: ChartTime,
  width: number,
  most: number,
  { drawing, chart, history }: ConsoleState,
): Line[] {
  const lines: Line[] = [];
  let line: Line = [];
  // With a cursor, what stands there, as in the line above; where no frame is, what was last before.
  const at = chart.cursor === null ? null : columnAt(time, chart.cursor);
  const shownOf = ({ columns }: Curve): number =>
    columns.slice(0, (at ?? time.columns) + 1).findLast(column => column !== null)?.median ?? Number.NaN;
  const some = shifts.some(({ hasShift }) => hasShift);
  const note = ({ hasShift }: Curve): string => (hasShift || !some ? '' : '(no shift: position) ');
  // The median first: it is the one that must not be cut off.
  const items = [
    ...[...shifts.slice(-1), ...shifts.slice(0, -1)].map(curve => ({
      curve,
      text: `${note(curve)}${figured(shownOf(curve))}`,
    })),
    ...warmth.map(curve => ({
      curve,
      text: Number.isNaN(shownOf(curve)) ? '?' : `${shownOf(curve).toFixed(2)} ${drawing.unicode ? '°C' : 'C'}`,
    })),
  ];
  for (const { curve, text } of items) {
    const { letter, name, colour } = curve;
    const isRead = chart.focus === null ? letter === 'M' : name === chart.focus;
    const item: Line = [
      seg(` ${letter} `, isRead ? 'selected' : { fg: colour }),
      seg(`${isRead ? ' ' : ''}${cleanText(name, drawing)} `),
      seg(`${text} `, 'strong'),
    ];
    if (lineWidth(line) + lineWidth(item) > width && line.length > 0) {
      lines.push(line);
      line = [];
    }
    line = [...line, ...item];
  }
  const signs = signsItem({ shifts }, history?.flagNames ?? [], drawing);
  if (line.length > 0) lines.push(lineWidth(line) + lineWidth(signs) <= width ? [...line, ...signs] : line);
  return lines.slice(0, most);
}

/** What the signs of flags mean, where there are any. */
function signsItem({ shifts }: Pick<ChartData, 'shifts'>, flagNames: readonly string[], { unicode }: Drawing): Line {
  const jump = jumpBit(flagNames);
  const flags = shifts.flatMap(({ columns }) => columns.flatMap(column => (column?.flags ? [column.flags] : [])));
  return [
    ...(flags.some(each => (each & ~jump) === 0) ? [seg(`  ${flagSign(jump, jump, unicode)} jump`, 'dim')] : []),
    ...(flags.some(each => (each & ~jump) !== 0) ? [seg(`  ${flagSign(-1, jump, unicode)} flagged`, 'dim')] : []),
  ];
}
