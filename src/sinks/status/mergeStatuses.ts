import { isDeepStrictEqual } from 'node:util';
import { type StageName, stageNames } from '../../model/stageName.ts';
import type { Latency, PipelineStatus, ProcessStatus, StageStatus } from '../../model/status.ts';
import { combinedState } from './statusOfEvents.ts';
import { throughputOf, withWaits } from './throughputOf.ts';

/**
 * One status of several processes of a root. Of a stage that runs in several the counts are summed.
 * @param statuses at least one; those that are known to be gone left out by the caller.
 */
export function mergeStatuses(statuses: readonly ProcessStatus[]): PipelineStatus {
  const inOrder = statuses.toSorted((a, b) => a.started.localeCompare(b.started) || a.pid - b.pid);
  const first = inOrder.find(({ state }) => state !== 'stopped') ?? (inOrder[0] as ProcessStatus);
  const stages: Partial<Record<StageName, StageStatus>> = {};
  for (const status of inOrder) {
    for (const [name, stage] of Object.entries(status.stages) as [StageName, StageStatus][]) {
      const before = stages[name];
      stages[name] = before ? mergeStages(before, stage) : stage;
    }
  }
  const { health: _own, replay: _replay, ...rest } = first;
  const replay = inOrder.findLast(status => status.replay)?.replay;
  const health = newestHealth(inOrder);
  const latency = mergeLatencies(inOrder.map(status => status.latency));
  // Upstream first, in whatever order the processes were started.
  const known = withWaits(Object.fromEntries(stageNames.flatMap(name => (stages[name] ? [[name, stages[name]]] : []))));
  return {
    ...rest,
    config: withTakenByAll(rest.config, inOrder),
    state: combinedState(inOrder.map(({ state }) => state)),
    // Acknowledged once all have seen it.
    control: inOrder.map(({ control }) => control).reduce((a, b) => (b.seq < a.seq ? b : a)),
    alarms: inOrder.flatMap(({ alarms }) => alarms),
    stages: known,
    latency,
    throughput: throughputOf(known, latency),
    last_image: inOrder
      .map(status => status.last_image)
      .reduce((a, b) => ((b?.taken ?? '') > (a?.taken ?? '') ? b : a)),
    ...(health && { health }),
    ...(replay && { replay }),
    processes: inOrder.map(status => ({
      host: status.host,
      pid: status.pid,
      boot_id: status.boot_id,
      pid_start: status.pid_start,
      started: status.started,
      state: status.state,
      heartbeat: status.heartbeat,
      stages: Object.keys(status.stages) as StageName[],
    })),
  };
}

/** All processes read the same file; each knows what its own stages have taken of it. */
function withTakenByAll(config: ProcessStatus['config'], statuses: readonly ProcessStatus[]): ProcessStatus['config'] {
  const { edit } = config;
  if (!edit) return config;
  const same = statuses.flatMap(({ config: { edit: other } }) =>
    other && isDeepStrictEqual(other.changes, edit.changes) ? other.taken : [],
  );
  return { ...config, edit: { ...edit, taken: same } };
}

/** The later error of the two counts; without times, that of the process that was heard last. */
function lastErrorOf(
  newer: StageStatus,
  older: StageStatus,
): Pick<StageStatus, 'last_error' | 'last_error_at' | 'last_error_over'> {
  const isOlders = newer.last_error === null || (older.last_error_at ?? '') > (newer.last_error_at ?? '');
  const { last_error, last_error_at = null, last_error_over = null } = isOlders ? older : newer;
  return { last_error, last_error_at, last_error_over };
}

/** Where several processes look at the same root, they see the same. */
function newestHealth(statuses: readonly ProcessStatus[]): ProcessStatus['health'] {
  const seen = statuses.flatMap(({ health }) => (health ? [health] : []));
  return seen.reduce<ProcessStatus['health']>((a, b) => (a && a.at >= b.at ? a : b), undefined);
}

/** Of several processes the median is near that of all; the slowest says how long it may take. */
function mergeLatencies(latencies: readonly (Latency | null | undefined)[]): Latency | null {
  const known = latencies.filter(latency => latency !== null && latency !== undefined);
  if (known.length === 0) return null;
  const results = known.reduce((sum, latency) => sum + latency.results, 0);
  return {
    median_ms: Math.round(known.reduce((sum, latency) => sum + latency.median_ms * latency.results, 0) / results),
    p95_ms: Math.max(...known.map(({ p95_ms }) => p95_ms)),
    results,
  };
}

/** What several do together; null when none knows. A process of an earlier version does not say. */
function sum(a: number | null | undefined, b: number | null | undefined): number | null {
  return a === null || a === undefined ? (b ?? null) : a + (b ?? 0);
}

function highest(...values: (number | null | undefined)[]): number | null {
  const known = values.filter(value => value !== null && value !== undefined);
  return known.length === 0 ? null : Math.max(...known);
}

function mergeStages(a: StageStatus, b: StageStatus): StageStatus {
  const newer = (b.heartbeat ?? '') > (a.heartbeat ?? '') ? b : a;
  const ended = (stage: StageStatus): boolean => stage.state === 'off' || stage.state === 'stopped';
  return {
    ...newer,
    state: ended(newer) ? (newer === a ? b : a).state : newer.state,
    // All of them wait in the one manifest: no sum.
    queued: newer.queued,
    in_flight: a.in_flight + b.in_flight,
    done: a.done + b.done,
    failed: a.failed + b.failed,
    discarded: a.discarded + b.discarded,
    lost: a.lost + b.lost,
    per_minute: a.per_minute + b.per_minute,
    per_second: sum(a.per_second, b.per_second),
    peak_per_second: highest(a.peak_per_second, b.peak_per_second, sum(a.per_second, b.per_second)),
    // The busiest: where one has no time left, more of them would help.
    busy: highest(a.busy, b.busy),
    most_per_second: sum(a.most_per_second, b.most_per_second),
    rows_per_second: sum(a.rows_per_second, b.rows_per_second),
    bytes_per_second: sum(a.bytes_per_second, b.bytes_per_second),
    last_done: (b.last_done ?? '') > (a.last_done ?? '') ? b.last_done : a.last_done,
    history: a.history.map((count, i) => count + (b.history[i] ?? 0)),
    late: a.late ?? b.late,
    ...lastErrorOf(newer, newer === a ? b : a),
  };
}
