import type { StageName, StageState } from '../../model/stageName.ts';
import { historyBucketMs as bucketMs, historyBuckets, type StageStatus } from '../../model/status.ts';
import { type RecentlyFinished, rateOf, withFinished } from './rateOf.ts';

/** How fast a stage works, from what it has finished and how long it worked on that. Bounded. Times are ms since 1970 UTC. */
export interface StagePace extends Pick<StageStatus, 'target_per_minute' | 'peak_per_second'> {
  /** On how many items it can work at once. */
  places: number;
  /** How long it has worked in all until `workedAt`, ms, all its places together counted as one. */
  workedMs: number;
  workedAt: number;
  /** When it began to run, and how long it had worked by then. */
  ran: { at: number; workedMs: number } | null;
  finished: RecentlyFinished;
  /** Items of the last minutes by bucket number, in their order; at most {@link historyBuckets}. */
  recent: readonly { bucket: number; count: number }[];
}

export const noPace: StagePace = {
  target_per_minute: null,
  peak_per_second: null,
  places: 1,
  workedMs: 0,
  workedAt: 0,
  ran: null,
  finished: [],
  recent: [],
};

/** Buckets that make the minute of the rate. */
const minuteBuckets = 60_000 / bucketMs;
/** A share of less time than this says nothing, ms. */
const shortestShareMs = 1_000;

/** How much of the detail of an item, or of a round, a stage has written as files. */
const bytesKeys: Partial<Record<StageName, string>> = {
  collector: 'bytes',
  brightfield: 'bytes',
  compressor: 'bytes_after',
  syncer: 'bytes',
  backup: 'bytes',
};

type Detail = Readonly<Record<string, string | number>>;
type Worked = StagePace & { in_flight: number };

/** The same stage, with the time counted that it has worked until now. */
export const workedUntil = <T extends Worked>(stage: T, at: number): T => ({
  ...stage,
  workedMs: workedBy(stage, at),
  workedAt: at,
});

/** One more item, done or failed; of one that failed there is no detail. */
export function withItem<T extends StagePace>(stage: T, name: StageName, at: number, detail: Detail): T {
  const rows = name === 'processor' ? countIn(detail.rows) : 0;
  const counted = { ...stage, recent: countOne(stage.recent, at) };
  return withAmounts(counted, at, { items: 1, rows, bytes: writtenBytes(name, detail) });
}

/** One more round, which concerns no item, but may have written files. */
export function withRound<T extends StagePace>(stage: T, name: StageName, at: number, detail: Detail): T {
  const bytes = writtenBytes(name, detail);
  return bytes > 0 ? withAmounts(stage, at, { items: 0, rows: 0, bytes }) : stage;
}

function withAmounts<T extends StagePace>(
  stage: T,
  at: number,
  amounts: { items: number; rows: number; bytes: number },
): T {
  const finished = withFinished(stage.finished, { ...amounts, workedMs: stage.workedMs }, at);
  // The rate is another only with the beginning of a group.
  if (finished.length === stage.finished.length && finished.at(-1)?.first !== at) return { ...stage, finished };
  const rate = rateOf(finished, at, stage.workedMs, null);
  return {
    ...stage,
    finished,
    peak_per_second: highest(stage.peak_per_second, rate?.isSteady ? rate.perSecond : null),
  };
}

/** How fast a stage is now, as others read it. */
export function paceOf(
  name: StageName,
  stage: Worked & { state: StageState },
  at: number,
): Pick<
  StageStatus,
  | 'per_minute'
  | 'per_second'
  | 'peak_per_second'
  | 'busy'
  | 'most_per_second'
  | 'rows_per_second'
  | 'bytes_per_second'
  | 'history'
> {
  const worked = workedBy(stage, at);
  const { target_per_minute: target, ran } = stage;
  const rate = rateOf(stage.finished, at, worked, target ? 60_000 / target : null);
  const ranMs = ran ? at - ran.at : 0;
  const sinceRun = ran && ranMs >= shortestShareMs ? Math.min(1, (worked - ran.workedMs) / ranMs) : null;
  const busy = rate?.busy ?? sinceRun;
  const history = historyOf(stage.recent, at);
  return {
    per_minute: history.slice(-minuteBuckets).reduce((sum, count) => sum + count, 0),
    per_second: rate && rounded(rate.perSecond),
    // Nobody believes a peak that is less than now; and one of a time too short to be remembered would be less a moment later.
    peak_per_second: rate && rounded(rate.perSecond) > (stage.peak_per_second ?? 0) ? null : stage.peak_per_second,
    busy: ended.has(stage.state) || busy === null ? null : rounded(busy),
    most_per_second: rate?.mostPerSecond ? rounded(rate.mostPerSecond) : null,
    rows_per_second: name === 'processor' ? rate && rounded(rate.rowsPerSecond) : null,
    bytes_per_second: name in bytesKeys ? rate && rounded(rate.bytesPerSecond) : null,
    history,
  };
}

const ended: ReadonlySet<StageState> = new Set(['off', 'stopped']);

function highest(peak: number | null, perSecond: number | null): number | null {
  return perSecond === null ? peak : Math.max(peak ?? 0, rounded(perSecond));
}

/** Digits that are not known make a status file longer. */
const rounded = (value: number): number => Number(value.toPrecision(4));

/** How long a stage has worked in all by now, ms. A clock that was set back adds nothing. */
function workedBy({ in_flight, places, workedMs, workedAt }: Worked, at: number): number {
  return workedMs + (Math.min(in_flight, places) / places) * Math.max(0, at - workedAt);
}

function writtenBytes(stage: StageName, detail: Detail): number {
  const key = bytesKeys[stage];
  return key === undefined ? 0 : countIn(detail[key]);
}

const countIn = (value: string | number | undefined): number => (typeof value === 'number' && value > 0 ? value : 0);

function countOne(recent: StagePace['recent'], at: number): StagePace['recent'] {
  const bucket = bucketOf(at);
  const last = recent.at(-1);
  if (last?.bucket === bucket) return [...recent.slice(0, -1), { bucket, count: last.count + 1 }];
  // A clock that was set leaves buckets on either side; what is ahead of it is gone.
  const kept = recent.filter(one => one.bucket < bucket && one.bucket > bucket - historyBuckets);
  return [...kept, { bucket, count: 1 }];
}

function historyOf(recent: StagePace['recent'], at: number): number[] {
  const newest = bucketOf(at);
  const history = new Array<number>(historyBuckets).fill(0);
  for (const { bucket, count } of recent) {
    const index = historyBuckets - 1 - (newest - bucket);
    if (index >= 0 && index < historyBuckets) history[index] = count;
  }
  return history;
}

function bucketOf(at: number): number {
  return Math.floor(at / bucketMs);
}
