import type { ProcessIdentity } from '../../model/entry.ts';
import type { PipelineEvent, StageEvent } from '../../model/event.ts';
import { utcIso } from '../../model/localTime.ts';
import { type StageName, type StageState, stageNames } from '../../model/stageName.ts';
import type { ConfigEdit, HealthStatus, Latency, ProcessStatus, StageStatus } from '../../model/status.ts';
import { type ReplayState, reduceReplay, replayStatus } from './replayStatus.ts';
import { noPace, paceOf, type StagePace, withItem, withRound, workedUntil } from './stagePace.ts';

/** A stage is late after so many of its intervals, but not before so many ms: a slow disk is no fault of the stage. */
const lateIntervals = 1.5;
const shortestStaleMs = 5_000;
const shortestHungMs = 30_000;
/** One that works on an item may take so many times as long as the last one took. */
const hungTimesLast = 5;
/** Alarms that are kept, most; further ones take the place of the oldest. */
const maxAlarms = 50;
/** Warnings and changes of the configuration that are kept, most. */
const maxLines = 20;
const longestError = 500;

/** Results whose latency is kept, most. */
const maxLatencies = 100;

interface StageCounts
  extends StagePace,
    Pick<
      StageStatus,
      'state' | 'queued' | 'expected' | 'in_flight' | 'done' | 'failed' | 'discarded' | 'lost' | 'last_ms'
    > {
  lastError: LastError | null;
  lastAt: number | null;
  doneAt: number | null;
  intervalMs: number | null;
}

/** `key`: of its alarm; null for that of an item. */
interface LastError {
  text: string;
  at: number;
  key: string | null;
  overAt: number | null;
}

/** What is remembered of the events; bounded, however many they were. */
export interface StatusState {
  config: {
    file: string | null;
    loadedAt: number | null;
    error: string | null;
    warnings: readonly string[];
    edit: Edit | null;
    restart: readonly string[];
  };
  control: { seq: number; paused: readonly StageName[] };
  alarms: readonly { stage: StageName; key: string; message: string; since: number; times: number }[];
  stages: Readonly<Partial<Record<StageName, StageCounts>>>;
  /** From frame to result, of the last results, ms. */
  latencies: readonly number[];
  /** Only once the health stage has looked. */
  health?: HealthStatus;
  /** Only of a replay. */
  replay?: ReplayState;
}

interface Edit {
  at: number;
  changes: readonly string[];
  taken: readonly { stage: StageName; at: number; changes: readonly string[] }[];
}

export const emptyStatus: StatusState = {
  config: { file: null, loadedAt: null, error: null, warnings: [], edit: null, restart: [] },
  control: { seq: 0, paused: [] },
  alarms: [],
  stages: {},
  latencies: [],
};

/** Takes in one event. Pure. */
export function reduceStatus(state: StatusState, event: PipelineEvent): StatusState {
  switch (event.kind) {
    case 'config':
      return {
        ...state,
        config: {
          file: event.file,
          loadedAt: event.at,
          error: null,
          warnings: shortened(event.warnings),
          // A file that is as it was before a mistake is no new edit.
          edit:
            event.changes.length > 0
              ? { at: event.at, changes: shortened(event.changes), taken: [] }
              : state.config.edit,
          restart: shortened(event.restart ?? []),
        },
      };
    case 'config_error':
      return { ...state, config: { ...state.config, file: event.file, error: short(event.error) } };
    case 'control':
      return { ...state, control: { seq: event.seq, paused: event.paused } };
    case 'note':
      return state;
    case 'alarm':
    case 'well':
      return { ...state, alarms: reduceAlarms(state.alarms, event), stages: withStage(state, event) };
    case 'settings':
      return { ...state, config: withTaken(state.config, event), stages: withStage(state, event) };
    case 'replay':
      return { ...state, replay: reduceReplay(state.replay, event) };
    case 'health':
      return { ...state, health: event.report, stages: withStage(state, event) };
    default:
      return { ...state, stages: withStage(state, event), latencies: withLatency(state.latencies, event) };
  }
}

function withLatency(latencies: readonly number[], event: StageEvent): readonly number[] {
  const ms = event.kind === 'done' && event.stage === 'processor' ? event.detail.latency_ms : undefined;
  return typeof ms === 'number' ? [...latencies.slice(1 - maxLatencies), ms] : latencies;
}

function latencyOf(latencies: readonly number[]): Latency | null {
  if (latencies.length === 0) return null;
  const inOrder = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(inOrder[Math.ceil(share * inOrder.length) - 1] as number);
  return { median_ms: at(0.5), p95_ms: at(0.95), results: inOrder.length };
}

export interface StatusSurroundings {
  runId: string;
  /** Those that run here; one that has said nothing yet is starting. */
  runs?: readonly StageName[];
  /** Milliseconds since 1970 UTC by the clock of the events, like `at`: the start of the process, and now. */
  startedAt: number;
  at: number;
  disk?: ProcessStatus['disk'];
  lastImage?: ProcessStatus['last_image'];
}

/** The status as others read it. */
export function statusOf(
  state: StatusState,
  process: ProcessIdentity,
  { runId, runs = [], startedAt, at, disk = null, lastImage = null }: StatusSurroundings,
): ProcessStatus {
  const stages = stageNames.flatMap(name => {
    const stage = state.stages[name] ?? (runs.includes(name) ? newStage : null);
    if (!stage) return [];
    const alarmed = state.alarms.some(alarm => alarm.stage === name);
    const status: StageStatus = {
      state: stage.state,
      queued: stage.queued,
      expected: stage.expected,
      in_flight: stage.in_flight,
      done: stage.done,
      failed: stage.failed,
      discarded: stage.discarded,
      lost: stage.lost,
      target_per_minute: stage.target_per_minute,
      ...paceOf(name, stage, at),
      last_done: iso(stage.doneAt),
      last_ms: stage.last_ms,
      last_error: stage.lastError?.text ?? null,
      last_error_at: iso(stage.lastError?.at ?? null),
      last_error_over: iso(stage.lastError?.overAt ?? null),
      heartbeat: iso(stage.lastAt),
      // One with an alarm waits on purpose.
      late: alarmed ? null : lateness(stage, at),
    };
    return [[name, status] as const];
  });
  return {
    host: process.host,
    pid: process.pid,
    boot_id: process.boot_id,
    pid_start: process.pid_start,
    started: utcIso(startedAt),
    state: combinedState(stages.map(([, stage]) => stage.state)),
    heartbeat: utcIso(at),
    run_id: runId,
    control: { seq: state.control.seq, paused: [...state.control.paused] },
    config: {
      file: state.config.file,
      loaded: iso(state.config.loadedAt),
      error: state.config.error,
      ...(state.config.warnings.length > 0 && { warnings: [...state.config.warnings] }),
      ...(state.config.edit && { edit: editOf(state.config.edit) }),
      ...(state.config.restart.length > 0 && { restart: [...state.config.restart] }),
    },
    disk,
    alarms: state.alarms.map(({ since, ...alarm }) => ({ ...alarm, since: utcIso(since) })),
    stages: Object.fromEntries(stages),
    latency: latencyOf(state.latencies),
    last_image: lastImage,
    ...(state.health && { health: state.health }),
    ...(state.replay && { replay: replayStatus(state.replay, at) }),
  };
}

/** The state of a process from those of its stages: the liveliest tells. */
export function combinedState(states: readonly StageState[]): ProcessStatus['state'] {
  const on = states.filter(state => state !== 'off');
  for (const state of ['draining', 'running', 'starting', 'paused'] as const) if (on.includes(state)) return state;
  return states.length === 0 ? 'starting' : 'stopped';
}

function withStage(state: StatusState, event: StageEvent): StatusState['stages'] {
  const before = state.stages[event.stage] ?? newStage;
  const lastAt = reportedByOthers.has(event.kind) ? before.lastAt : event.at;
  return { ...state.stages, [event.stage]: { ...reduceStage(before, event), lastAt } };
}

/** What the graph says of a stage goes on while the stage hangs: no sign of its life. */
const reportedByOthers: ReadonlySet<StageEvent['kind']> = new Set(['queued', 'expected', 'pace', 'settings']);

const newStage: StageCounts = {
  ...noPace,
  state: 'starting',
  queued: 0,
  expected: null,
  in_flight: 0,
  done: 0,
  failed: 0,
  discarded: 0,
  lost: 0,
  last_ms: null,
  lastError: null,
  lastAt: null,
  doneAt: null,
  intervalMs: null,
};

const holdsNothing: ReadonlySet<StageState> = new Set(['starting', 'paused', 'stopped']);

function reduceStage(before: StageCounts, event: StageEvent): StageCounts {
  const stage = workedUntil(before, event.at);
  const settled = { ...stage, in_flight: Math.max(0, stage.in_flight - 1) };
  switch (event.kind) {
    case 'state':
      // What was in flight when a stage begins anew, rests, or has stopped, was released.
      return {
        ...stage,
        state: event.state,
        in_flight: holdsNothing.has(event.state) ? 0 : stage.in_flight,
        ...(event.state === 'running' && {
          places: event.places ?? 1,
          ran: { at: event.at, workedMs: stage.workedMs },
        }),
      };
    case 'queued':
      return { ...stage, queued: event.count };
    case 'expected':
      return { ...stage, expected: event.count };
    case 'claimed':
      return {
        ...stage,
        in_flight: stage.in_flight + event.count,
        workedMs: stage.workedMs + (event.workedMs ?? 0) / stage.places,
      };
    case 'done':
      return {
        ...withItem(settled, event.stage, event.at, event.detail),
        last_ms: event.ms,
        doneAt: event.at,
        done: stage.done + 1,
        lastError: overWith(stage.lastError, null, event.at),
      };
    case 'failed':
      return {
        ...withItem(settled, event.stage, event.at, {}),
        last_ms: event.ms,
        doneAt: event.at,
        failed: stage.failed + 1,
        lastError: { text: short(event.error), at: event.at, key: null, overAt: null },
      };
    case 'discarded':
      // One that never became an entry was never claimed.
      return { ...(event.entryId === null ? stage : settled), discarded: stage.discarded + (event.count ?? 1) };
    case 'alarm':
      return { ...stage, lastError: { text: short(event.message), at: event.at, key: event.key, overAt: null } };
    case 'pace': {
      const { intervalMs, perMinute } = event;
      // What was finished at another pace says nothing of this one.
      const isOther = stage.intervalMs !== intervalMs || stage.target_per_minute !== perMinute;
      return { ...stage, intervalMs, target_per_minute: perMinute, ...(isOther && { finished: [] }) };
    }
    case 'round':
      return withRound(stage, event.stage, event.at, event.detail);
    case 'well':
      return { ...stage, lastError: overWith(stage.lastError, event.key, event.at) };
    case 'settings':
    case 'beat':
    case 'health':
    case 'replay':
      return stage;
  }
}

/** @param key of the alarm that has ended; null: an item was done. */
function overWith(error: LastError | null, key: string | null, at: number): LastError | null {
  return error && error.key === key && error.overAt === null ? { ...error, overAt: at } : error;
}

function withTaken(
  config: StatusState['config'],
  { stage, at, changes }: Extract<StageEvent, { kind: 'settings' }>,
): StatusState['config'] {
  if (!config.edit) return config;
  const others = config.edit.taken.filter(each => each.stage !== stage);
  return { ...config, edit: { ...config.edit, taken: [...others, { stage, at, changes: shortened(changes) }] } };
}

const editOf = ({ at, changes, taken }: Edit): ConfigEdit => ({
  at: utcIso(at),
  changes: [...changes],
  taken: taken.map(({ stage, at: takenAt, changes: lines }) => ({ stage, at: utcIso(takenAt), changes: [...lines] })),
});

const shortened = (lines: readonly string[]): string[] => lines.slice(0, maxLines).map(short);

function lateness({ state, in_flight, last_ms, lastAt, intervalMs }: StageCounts, at: number): StageStatus['late'] {
  if (state !== 'running' || lastAt === null || intervalMs === null) return null;
  const silentMs = at - lastAt;
  if (in_flight === 0) return silentMs > Math.max(lateIntervals * intervalMs, shortestStaleMs) ? 'stale' : null;
  const patienceMs = Math.max(lateIntervals * intervalMs, hungTimesLast * (last_ms ?? 0), shortestHungMs);
  return silentMs > patienceMs ? 'hung' : null;
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
  return [...others, alarm].slice(-maxAlarms);
}

function iso(at: number | null): string | null {
  return at === null ? null : utcIso(at);
}

function short(text: string): string {
  return text.length <= longestError ? text : `${text.slice(0, longestError - 1)}…`;
}
