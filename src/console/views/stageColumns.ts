import { parseIso } from '../../model/localTime.ts';
import { duration } from '../../model/quantity.ts';
import type { StageName } from '../../model/stageName.ts';
import { historyBuckets, type StageStatus } from '../../model/status.ts';
import type { Drawing } from '../drawing.ts';
import { age, count, rate } from './amounts.ts';
import { bar, sparkline } from './bars.ts';
import { cleanText } from './cleanText.ts';
import { type Segment, seg, type Tone } from './line.ts';

interface CellFacts {
  now: number;
  drawing: Drawing;
  width: number;
  /** Whether the pipeline runs: a heartbeat says nothing of one that does not. */
  live: boolean;
}

export interface StageColumn {
  title: string;
  width: number;
  /** Lower is dropped later. */
  priority: number;
  /** At the left of its width; numbers are at the right. */
  left?: true;
  cell: (name: StageName, stage: StageStatus, facts: CellFacts) => Segment;
}

const numeric =
  (of: (stage: StageStatus) => number, toneAbove0: Tone = 'plain') =>
  (_: StageName, stage: StageStatus, { width }: CellFacts): Segment =>
    seg(count(of(stage), width), of(stage) > 0 ? toneAbove0 : 'dim');

const trend: StageColumn = {
  title: '5 min',
  width: 8,
  priority: 3,
  cell: (_, { history }, { width, drawing }) => seg(sparkline(history, width, drawing), 'accent'),
};

const lastError: StageColumn = {
  title: 'last error',
  width: 24,
  priority: 11,
  left: true,
  cell: (_, { last_error }, { drawing }) => seg(last_error === null ? '' : cleanText(last_error, drawing), 'bad'),
};

/** In the order of the table. */
const columns: readonly StageColumn[] = [
  { title: 'stage', width: 12, priority: 0, left: true, cell: name => seg(name, 'strong') },
  {
    title: 'state',
    width: 10,
    priority: 0,
    left: true,
    cell: (_, stage, { drawing, live }) => stateCell(stage, drawing, live),
  },
  {
    title: 'rate',
    width: 8,
    priority: 0,
    left: true,
    cell: (_, stage, facts) => gaugeCell(stage, facts),
  },
  {
    title: 'per minute',
    width: 10,
    priority: 0,
    cell: (_, stage, { live }) => seg(live ? rateText(stage) : ''),
  },
  trend,
  { title: 'queue', width: 6, priority: 0, cell: numeric(({ queued }) => queued) },
  { title: 'flight', width: 6, priority: 5, cell: numeric(({ in_flight }) => in_flight) },
  {
    title: 'done',
    width: 9,
    priority: 1,
    cell: (_, { done, expected }, { width }) =>
      seg(expected === null ? count(done, width) : `${count(done, 4)}/${count(expected, 4)}`),
  },
  { title: 'failed', width: 6, priority: 2, cell: numeric(({ failed }) => failed, 'bad') },
  { title: 'discarded', width: 9, priority: 6, cell: numeric(({ discarded }) => discarded) },
  { title: 'lost', width: 4, priority: 7, cell: numeric(({ lost }) => lost, 'bad') },
  {
    title: 'took',
    width: 8,
    priority: 4,
    cell: (_, { last_ms }, { width }) => seg(last_ms === null ? '' : took(last_ms, width)),
  },
  {
    title: 'seen',
    width: 5,
    priority: 8,
    cell: (_, { state, heartbeat }, { now, live }) =>
      seg(heartbeat === null || state === 'off' || !live ? '' : age(now - parseIso(heartbeat)), 'dim'),
  },
  lastError,
];

/** `3 min 20 s` in eight columns is `3 min`. */
function took(ms: number, width: number): string {
  const text = duration(ms);
  return text.length <= width ? text : text.split(' ').slice(0, 2).join(' ');
}

function stateCell({ state, late }: StageStatus, { marks }: Drawing, live: boolean): Segment {
  // What the last status of a dead process says is no longer so.
  if (!live && state !== 'off') return seg(`${marks.stopped} not up`, 'dim');
  if (late !== null) return seg(`${marks.late} ${late.toUpperCase()}`, 'bad');
  const tone: Tone = state === 'running' ? 'good' : state === 'off' || state === 'stopped' ? 'dim' : 'warning';
  return seg(`${marks[state]} ${state}`, tone);
}

function rateText({ state, per_minute, target_per_minute }: StageStatus): string {
  if (state === 'off') return '';
  return target_per_minute === null ? rate(per_minute) : `${rate(per_minute)}/${rate(target_per_minute)}`;
}

/** Below this share of what is asked for, it does not keep up. */
const enough = 0.8;

function gaugeCell(
  { per_minute, target_per_minute, state }: StageStatus,
  { width, drawing, live }: CellFacts,
): Segment {
  if (!live || target_per_minute === null || target_per_minute <= 0 || state === 'off') return seg('');
  const share = per_minute / target_per_minute;
  return seg(bar(share, width, drawing), share >= enough || state !== 'running' ? 'good' : 'warning');
}

/** The columns that `width` has room for; what is left over widens the sparkline, and then shows the last error. */
export function chooseColumns(width: number): StageColumn[] {
  const chosen = new Set<StageColumn>();
  let taken = -1;
  for (const column of [...columns].sort((a, b) => a.priority - b.priority)) {
    if (taken + 1 + column.width > width) continue;
    chosen.add(column);
    taken += 1 + column.width;
  }
  let rest = width - taken;
  return columns
    .filter(column => chosen.has(column))
    .map(column => {
      if (column === trend) {
        const more = Math.min(rest, chosen.has(lastError) ? Math.floor(rest / 2) : rest, historyBuckets - column.width);
        rest -= more;
        return {
          ...column,
          title: column.width + more >= 10 ? 'last 5 min' : column.title,
          width: column.width + more,
        };
      }
      return column === lastError ? { ...column, width: column.width + rest } : column;
    });
}
