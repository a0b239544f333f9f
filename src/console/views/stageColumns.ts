import { parseIso } from '../../model/localTime.ts';
import { duration, shortDuration } from '../../model/quantity.ts';
import { rateText, unitBeside } from '../../model/rate.ts';
import type { StageName } from '../../model/stageName.ts';
import type { StageStatus } from '../../model/status.ts';
import { percent, type StageWord } from '../../model/throughputWords.ts';
import type { Drawing } from '../drawing.ts';
import { age, count } from './amounts.ts';
import { bar } from './bars.ts';
import { cleanText } from './cleanText.ts';
import { type Segment, seg, type Tone } from './line.ts';

interface CellFacts {
  now: number;
  drawing: Drawing;
  width: number;
  /** Whether the pipeline runs: a heartbeat says nothing of one that does not. */
  live: boolean;
  /** How the stage is. */
  word: StageWord;
}

export interface StageColumn {
  title: string;
  width: number;
  /** Lower is dropped later. */
  priority: number;
  /** At the left of its width; numbers are at the right. */
  left?: true;
  /** Whether there is anything to show of a stage; absent: always. A column that no stage uses takes no room. */
  isUsed?: (stage: StageStatus) => boolean;
  cell: (name: StageName, stage: StageStatus, facts: CellFacts) => Segment;
}

const numeric =
  (of: (stage: StageStatus) => number, toneAbove0: Tone = 'plain') =>
  (_: StageName, stage: StageStatus, { width }: CellFacts): Segment =>
    seg(count(of(stage), width), of(stage) > 0 ? toneAbove0 : 'dim');

const lastError: StageColumn = {
  title: 'last error',
  width: 24,
  priority: 11,
  left: true,
  isUsed: ({ last_error }) => last_error !== null,
  cell: (_, { last_error, last_error_over }, { drawing }) =>
    seg(last_error === null ? '' : cleanText(last_error, drawing), last_error_over ? 'dim' : 'bad'),
};

/** In the order of the table. */
const columns: readonly StageColumn[] = [
  { title: 'stage', width: 12, priority: 0, left: true, cell: name => seg(name, 'strong') },
  {
    title: 'state',
    width: 10,
    priority: 0,
    left: true,
    cell: (_, stage, facts) => stateCell(stage, facts),
  },
  { title: 'now', width: 9, priority: 0, cell: (_, stage, { live }) => nowCell(stage, live) },
  {
    title: 'asked',
    width: 7,
    priority: 3,
    isUsed: ({ target_per_minute }) => target_per_minute !== null,
    cell: (_, { target_per_minute: target }) => seg(target === null ? '' : rateText(target / 60)),
  },
  {
    title: 'peak',
    width: 9,
    priority: 7,
    isUsed: ({ peak_per_second }) => peak_per_second !== null,
    cell: (_, { peak_per_second: peak }, { live }) => seg(peak === null || !live ? '' : rateText(peak)),
  },
  { title: 'busy', width: 9, priority: 1, cell: (_, stage, facts) => busyCell(stage, facts) },
  {
    title: 'at most',
    width: 8,
    priority: 9,
    isUsed: ({ most_per_second }) => most_per_second !== null,
    // The health check looks at all as often as it shall: what it could do is nobody's question.
    cell: (name, { most_per_second: most }, { live }) =>
      seg(most === null || !live || name === 'health' ? '' : rateText(most), 'dim'),
  },
  { title: 'waiting', width: 7, priority: 0, cell: numeric(({ queued }) => queued) },
  { title: 'gone in', width: 8, priority: 6, cell: (_, stage, { live }) => goneCell(stage, live) },
  { title: 'in work', width: 7, priority: 5, cell: numeric(({ in_flight }) => in_flight) },
  {
    title: 'done',
    width: 9,
    priority: 1,
    cell: (_, { done, expected }, { width }) =>
      seg(expected === null ? count(done, width) : `${count(done, 4)}/${count(expected, 4)}`),
  },
  { title: 'failed', width: 6, priority: 2, cell: numeric(({ failed }) => failed, 'bad') },
  {
    title: 'skipped',
    width: 7,
    priority: 4,
    isUsed: ({ discarded }) => discarded > 0,
    cell: numeric(({ discarded }) => discarded, 'warning'),
  },
  { title: 'lost', width: 4, priority: 2, isUsed: ({ lost }) => lost > 0, cell: numeric(({ lost }) => lost, 'bad') },
  {
    title: 'took',
    width: 8,
    priority: 8,
    cell: (_, { last_ms }, { width }) => seg(last_ms === null ? '' : took(last_ms, width)),
  },
  {
    title: 'seen',
    width: 6,
    priority: 10,
    cell: (_, { heartbeat }, { now, live }) =>
      seg(heartbeat === null || !live ? '' : age(now - parseIso(heartbeat)), 'dim'),
  },
  lastError,
];

/** `3 min 20 s` in eight columns is `3 min`. */
function took(ms: number, width: number): string {
  const text = duration(ms);
  return text.length <= width ? text : shortDuration(ms);
}

function stateCell({ late }: StageStatus, { drawing: { marks }, live, word }: CellFacts): Segment {
  if (live && late !== null) return seg(`${marks.late} ${late.toUpperCase()}`, 'bad');
  if (word === 'alarm') return seg(`${marks.late} ${word}`, 'bad');
  const tone: Tone = !live || word === 'stopped' ? 'dim' : word === 'running' ? 'good' : 'warning';
  return seg(`${marks[word === 'unknown' ? 'off' : word]} ${word}`, tone);
}

/** Below this share of what is asked for, it does not keep up. */
const enough = 0.8;

/** How fast it is, in the unit of what is asked. */
function nowCell({ per_second: rate, target_per_minute: target, state }: StageStatus, live: boolean): Segment {
  if (!live || rate === null) return seg('');
  const asked = target === null ? null : target / 60;
  const slow = asked !== null && rate < asked * enough && state === 'running';
  return seg(rateText(rate, unitBeside(rate, asked)), slow ? 'warning' : rate === 0 ? 'dim' : 'plain');
}

/** From this share of its time on, a stage can hardly do more. */
export const fullyBusy = 0.9;

/** Full when it works all the time. */
function busyCell({ busy }: StageStatus, { width, drawing, live }: CellFacts): Segment {
  if (busy === null || !live) return seg('');
  const words = percent(busy).replace(' ', '').padStart(5);
  return seg(bar(busy, width - words.length, drawing) + words, busy >= fullyBusy ? 'warning' : 'good');
}

function goneCell({ clears_in_ms: clears, queued }: StageStatus, live: boolean): Segment {
  if (!live || queued === 0) return seg('');
  if (clears === 'never') return seg('never', 'warning');
  return seg(clears === null || clears === undefined ? '' : shortDuration(clears));
}

/** The columns that `width` has room for and that some stage uses; what is left over widens the last error. */
export function chooseColumns(width: number, stages: readonly StageStatus[]): StageColumn[] {
  const chosen = new Set<StageColumn>();
  let taken = -1;
  for (const column of [...columns].sort((a, b) => a.priority - b.priority)) {
    const { isUsed } = column;
    if (taken + 1 + column.width > width || (isUsed && !stages.some(isUsed))) continue;
    chosen.add(column);
    taken += 1 + column.width;
  }
  return columns
    .filter(column => chosen.has(column))
    .map(column => (column === lastError ? { ...column, width: column.width + width - taken } : column));
}
