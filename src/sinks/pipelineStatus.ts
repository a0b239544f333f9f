import type { ProcessIdentity } from '../model/entry.ts';
import type { PipelineEvent, StageEvent } from '../model/event.ts';
import { utcIso } from '../model/localTime.ts';
import type { StageName, StageState } from '../model/stage.ts';

/** One stage of one process, as `pipeline_status.json` has it. Times are UTC. */
export interface StageStatus {
  state: StageState;
  /** Items that wait for it. */
  queued: number;
  /** Items that will come in all; null when nobody knows. */
  expected: number | null;
  in_flight: number;
  /** Counted since the process started. */
  done: number;
  failed: number;
  /** Left out on purpose. */
  discarded: number;
  /** Acknowledged and gone. Always 0; the check that says otherwise is `verify`. */
  lost: number;
  /** Items done or failed in the last minute. */
  per_minute: number;
  /** How long the last item took, ms. */
  last_ms: number | null;
  last_error: string | null;
  /** When it last said anything. */
  heartbeat: string | null;
}

export interface AlarmStatus {
  stage: StageName;
  key: string;
  message: string;
  since: string;
  /** How often it has been raised since. */
  times: number;
}

/** A point of the live chart: numbers that the processor told of one image. */
export interface SeriesPoint {
  at: string;
  values: Record<string, number>;
}

/** What one process says of itself in `flags/status/<host>-<pid>.json`. */
export interface ProcessStatus extends ProcessIdentity {
  started: string;
  state: 'starting' | 'running' | 'paused' | 'draining' | 'stopped';
  /** When this was written. */
  heartbeat: string;
  config: { file: string | null; loaded: string | null; error: string | null };
  disk: Record<string, string | number> | null;
  alarms: AlarmStatus[];
  stages: Partial<Record<StageName, StageStatus>>;
  series: SeriesPoint[];
}

/** Width of a bucket of the rate, ms, and how many make the minute that is shown. */
const bucketMs = 5_000;
const buckets = 12;
/** Alarms that are kept, most; further ones take the place of the oldest. */
const mostAlarms = 50;
const mostPoints = 120;
const shortestPointMs = 1_000;
const longestError = 500;

interface StageCounts extends Omit<StageStatus, 'per_minute' | 'heartbeat'> {
  lastAt: number | null;
  /** Items of the last minute by bucket number; at most {@link buckets}. */
  recent: readonly { bucket: number; count: number }[];
}

/** What is remembered of the events; bounded, however many they were. */
export interface StatusState {
  config: { file: string | null; loadedAt: number | null; error: string | null };
  alarms: readonly { stage: StageName; key: string; message: string; since: number; times: number }[];
  stages: Readonly<Partial<Record<StageName, StageCounts>>>;
  series: readonly { at: number; values: Record<string, number> }[];
}

export const emptyStatus: StatusState = {
  config: { file: null, loadedAt: null, error: null },
  alarms: [],
  stages: {},
  series: [],
};

/** Takes in one event. Pure. */
export function reduceStatus(state: StatusState, event: PipelineEvent): StatusState {
  switch (event.kind) {
    case 'config':
      return { ...state, config: { file: event.file, loadedAt: event.at, error: null } };
    case 'config_error':
      return { ...state, config: { ...state.config, file: event.file, error: short(event.error) } };
    case 'note':
      return state;
    case 'alarm':
    case 'well':
      return { ...state, alarms: reduceAlarms(state.alarms, event), stages: withStage(state, event) };
    case 'done':
      return { ...state, series: reduceSeries(state.series, event), stages: withStage(state, event) };
    default:
      return { ...state, stages: withStage(state, event) };
  }
}

/** The status as others read it. `at`: milliseconds since 1970 UTC by the clock of the events. */
export function statusOf(
  state: StatusState,
  process: ProcessIdentity,
  { startedAt, at, disk = null }: { startedAt: number; at: number; disk?: ProcessStatus['disk'] },
): ProcessStatus {
  const stages = Object.entries(state.stages).map(([name, { recent, lastAt, ...counts }]) => [
    name,
    {
      ...counts,
      per_minute: recent
        .filter(({ bucket }) => bucket > bucketOf(at) - buckets && bucket <= bucketOf(at))
        .reduce((sum, { count }) => sum + count, 0),
      heartbeat: iso(lastAt),
    },
  ]);
  return {
    host: process.host,
    pid: process.pid,
    boot_id: process.boot_id,
    pid_start: process.pid_start,
    started: utcIso(startedAt),
    state: wholeState(Object.values(state.stages).map(stage => stage.state)),
    heartbeat: utcIso(at),
    config: { file: state.config.file, loaded: iso(state.config.loadedAt), error: state.config.error },
    disk,
    alarms: state.alarms.map(({ since, ...alarm }) => ({ ...alarm, since: utcIso(since) })),
    stages: Object.fromEntries(stages),
    series: state.series.map(({ at: time, values }) => ({ at: utcIso(time), values })),
  };
}

/** The state of a process from those of its stages: the liveliest tells. */
export function wholeState(states: readonly StageState[]): ProcessStatus['state'] {
  const on = states.filter(state => state !== 'off');
  for (const state of ['draining', 'running', 'starting', 'paused'] as const) if (on.includes(state)) return state;
  return states.length === 0 ? 'starting' : 'stopped';
}

function withStage(state: StatusState, event: StageEvent): StatusState['stages'] {
  const before = state.stages[event.stage] ?? newStage;
  return { ...state.stages, [event.stage]: { ...reduceStage(before, event), lastAt: event.at } };
}

const newStage: StageCounts = {
  state: 'starting',
  queued: 0,
  expected: null,
  in_flight: 0,
  done: 0,
  failed: 0,
  discarded: 0,
  lost: 0,
  last_ms: null,
  last_error: null,
  lastAt: null,
  recent: [],
};

function reduceStage(stage: StageCounts, event: StageEvent): StageCounts {
  const settled = { ...stage, in_flight: Math.max(0, stage.in_flight - 1) };
  switch (event.kind) {
    case 'state':
      // What was in flight when a stage begins anew, or has stopped, was given back.
      return {
        ...stage,
        state: event.state,
        in_flight: event.state === 'stopped' || event.state === 'starting' ? 0 : stage.in_flight,
      };
    case 'queued':
      return { ...stage, queued: event.count };
    case 'expected':
      return { ...stage, expected: event.count };
    case 'claimed':
      return { ...stage, in_flight: stage.in_flight + event.count };
    case 'done':
      return { ...settled, done: stage.done + 1, last_ms: event.ms, recent: countOne(stage.recent, event.at) };
    case 'failed':
      return {
        ...settled,
        failed: stage.failed + 1,
        last_ms: event.ms,
        last_error: short(event.error),
        recent: countOne(stage.recent, event.at),
      };
    case 'discarded':
      // One that never became an entry was never claimed.
      return { ...(event.entryId === null ? stage : settled), discarded: stage.discarded + 1 };
    case 'alarm':
      return { ...stage, last_error: short(event.message) };
    case 'well':
    case 'settings':
      return stage;
  }
}

function countOne(recent: StageCounts['recent'], at: number): StageCounts['recent'] {
  const bucket = bucketOf(at);
  const found = recent.some(one => one.bucket === bucket);
  const counted = found
    ? recent.map(one => (one.bucket === bucket ? { bucket, count: one.count + 1 } : one))
    : [...recent, { bucket, count: 1 }];
  // A clock that was set leaves buckets far away on either side.
  return counted.filter(one => Math.abs(one.bucket - bucket) < buckets).slice(-2 * buckets);
}

function reduceAlarms(
  alarms: StatusState['alarms'],
  event: Extract<StageEvent, { kind: 'alarm' | 'well' }>,
): StatusState['alarms'] {
  const same = (alarm: StatusState['alarms'][number]): boolean =>
    alarm.stage === event.stage && alarm.key === event.key;
  const others = alarms.filter(alarm => !same(alarm));
  if (event.kind === 'well') return others;
  const before = alarms.find(same);
  const { stage, key, message, at } = event;
  const alarm = { stage, key, message: short(message), since: before?.since ?? at, times: (before?.times ?? 0) + 1 };
  return [...others, alarm].slice(-mostAlarms);
}

function reduceSeries(series: StatusState['series'], event: StageEvent & { kind: 'done' }): StatusState['series'] {
  const last = series.at(-1);
  if (event.stage !== 'processor' || (last && Math.abs(event.at - last.at) < shortestPointMs)) return series;
  const values = Object.fromEntries(
    Object.entries(event.detail).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
  if (Object.keys(values).length === 0) return series;
  return [...series, { at: event.at, values }].slice(-mostPoints);
}

function bucketOf(at: number): number {
  return Math.floor(at / bucketMs);
}

function iso(at: number | null): string | null {
  return at === null ? null : utcIso(at);
}

function short(text: string): string {
  return text.length <= longestError ? text : `${text.slice(0, longestError - 1)}…`;
}
