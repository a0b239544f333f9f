import { parseIso } from '../../model/localTime.ts';
import { type RateUnit, rateFigure, rateUnit } from '../../model/rate.ts';
import { historyBucketMs, type StageStatus } from '../../model/status.ts';
import type { Drawing } from '../drawing.ts';
import { type Line, type Segment, seg } from '../views/line.ts';

/** Columns for the numbers of the scale, with its axis. */
const gutter = 9;
/** A point of the graph stands for so many items at least, where they are asked for or come: single ones would look like noise. */
const itemsAPoint = 6;
/** And for no more than a minute, spans of the history. */
const mostSpans = 12;
const levels = { unicode: [...'▁▂▃▄▅▆▇█'], ascii: [...'_.-=*'] };

/**
 * How fast a stage was in the last five minutes: an edge at the height of the rate over a scale from 0, with what is asked as a dashed line.
 * Time before the process started is left blank.
 * @param facts `started`, `heartbeat`: of the process, UTC.
 */
export function rateGraph(
  { history, target_per_minute: target }: Pick<StageStatus, 'history' | 'target_per_minute'>,
  { started, heartbeat }: { started: string; heartbeat: string },
  width: number,
  height: number,
  drawing: Drawing,
): Line[] {
  const rows = height - 1;
  const columns = width - gutter;
  if (rows < 3 || columns < 10) return [];
  const asked = target === null ? null : target / 60;
  const points = ratesOf(history, asked, parseIso(heartbeat) - parseIso(started));
  const most = Math.max(asked ?? 0, ...points.map(point => point ?? 0));
  const unit = rateUnit(most);
  const top = roundUp(most * unit.seconds || 1) / unit.seconds;
  const grid = Array.from({ length: rows }, () => Array.from({ length: columns }, () => seg(' ')));
  if (asked !== null) {
    const row = rowOf(asked, top, rows);
    for (let x = 0; x < columns; x += 2) grid[row]![x] = seg(drawing.unicode ? '╌' : '-', 'dim');
  }
  const signs = drawing.unicode ? levels.unicode : levels.ascii;
  for (let x = 0; x < columns; x++) {
    const rate = points[Math.floor((x * points.length) / columns)] ?? null;
    if (rate === null) continue;
    const row = rowOf(rate, top, rows);
    const within = (rate / top) * rows - (rows - 1 - row);
    const sign = signs[Math.max(0, Math.min(signs.length - 1, Math.round(within * signs.length) - 1))] as string;
    const tone = rate === 0 ? 'dim' : asked !== null && rate < asked * 0.8 ? 'warning' : 'accent';
    grid[row]![x] = seg(sign, tone);
    for (let below = row + 1; below < rows; below++) grid[below]![x] = seg(drawing.dot, 'dim');
  }
  const labels = scaleLabels(top, asked, rows, unit);
  return [
    ...grid.map(
      (cells, row): Line => [
        seg(`${(labels.get(row) ?? '').padStart(gutter - 1)}${drawing.vertical}`, 'dim'),
        ...joined(cells),
      ],
    ),
    [seg(`${' '.repeat(gutter)}${'5 min ago'.padEnd(columns - 3)}now`, 'dim')],
  ];
}

/** Items a second in each span, oldest first; null before the process started. The span that goes on is left out. */
function ratesOf(history: readonly number[], asked: number | null, ranMs: number): (number | null)[] {
  const spans = history.slice(0, -1);
  const known = Math.min(spans.length, Math.floor(ranMs / historyBucketMs));
  return [...Array<null>(spans.length - known).fill(null), ...smoothRates(spans.slice(spans.length - known), asked)];
}

/**
 * Items a second, of each span of the history with those before it; the first ones with those after, since too few would be noise.
 * @param asked items a second
 */
export function smoothRates(counts: readonly number[], asked: number | null): number[] {
  const spans = spansOfPoint(counts, asked);
  return counts.map((_, i) => {
    const from = Math.max(0, i + 1 - spans);
    const share = counts.slice(from, from + spans);
    return share.reduce((sum, count) => sum + count, 0) / ((share.length * historyBucketMs) / 1000);
  });
}

/**
 * So many spans make a point, by what comes in a span or is asked for: as few as have some items, of these a number in which whole items come.
 * With 20 a minute, four spans of five seconds would have six items or seven, and a steady rate would go up and down.
 */
function spansOfPoint(counts: readonly number[], asked: number | null): number {
  const mean = counts.length === 0 ? 0 : counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const wanted = ((asked ?? 0) * historyBucketMs) / 1000;
  const usual = mean > 1.1 * wanted ? mean : wanted;
  const all = Array.from({ length: mostSpans }, (_, i) => i + 1);
  const remainder = (spans: number): number => Math.abs(spans * usual - Math.round(spans * usual)) / (spans * usual);
  const isWhole = (spans: number): boolean => remainder(spans) < 0.01;
  const withItems = [itemsAPoint, itemsAPoint / 2, 1].map(least => all.filter(spans => spans * usual > least - 0.001));
  return (
    withItems.flatMap(some => some.find(isWhole) ?? []).at(0) ??
    withItems.flatMap(some => some.toSorted((a, b) => remainder(a) - remainder(b)).slice(0, 1)).at(0) ??
    mostSpans
  );
}

const rowOf = (rate: number, top: number, rows: number): number =>
  rows - 1 - Math.max(0, Math.min(rows - 1, Math.ceil((rate / top) * rows) - 1));

/** The next round number above, with room for what comes. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(step => step * power >= value * 1.05) ?? 15) * power;
}

function scaleLabels(top: number, asked: number | null, rows: number, unit: RateUnit): Map<number, string> {
  const labels = new Map([[rows - 1, '0 ']]);
  if (asked !== null) labels.set(rowOf(asked, top, rows), `ask ${rateFigure(asked, unit)} `.slice(0, gutter - 1));
  labels.set(0, `${rateFigure(top, unit)}/${unit.per} `.slice(0, gutter - 1));
  return labels;
}

/** Neighbours of one look are one piece. */
function joined(cells: readonly Segment[]): Segment[] {
  const pieces: Segment[] = [];
  for (const cell of cells) {
    const last = pieces.at(-1);
    if (last?.style === cell.style) last.text += cell.text;
    else pieces.push({ ...cell });
  }
  return pieces;
}
