import { jsonFault } from '../../model/jsonFault.ts';
import { type StageName, type StageState, stageNames } from '../../model/stageName.ts';
import {
  type AlarmStatus,
  type ConfigEdit,
  type HealthLight,
  type HealthStatus,
  historyBuckets,
  type LastImage,
  type Latency,
  type PipelineStatus,
  type ProcessStatus,
  type StageStatus,
  type Throughput,
} from '../../model/status.ts';
import { plainText } from '../console/plainText.ts';

/**
 * Reads the text of a `pipeline_status.json`, also one of an older or newer version: what is missing, or of another type,
 * takes the value that means "not known". Texts are one line each and fit for a terminal; unknown stages are left out.
 *
 * @returns the status, or what is wrong with the text, completing "the file …".
 */
export function normaliseStatus(text: string): PipelineStatus | string {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return `is not valid JSON: ${jsonFault(text)}`;
  }
  const raw = recordOf(found);
  if (typeof raw.pid !== 'number' || typeof raw.host !== 'string' || typeof raw.boot_id !== 'string') {
    return 'is not the status of a pipeline: pid, host and boot_id are not all there';
  }
  const stages = stagesOf(raw.stages);
  const state = wordOf(raw.state, processStates, 'running');
  const self = { ...processOf(raw), state, stages: Object.keys(stages) as StageName[] };
  const listed = listOf(raw.processes).map(recordOf).filter(isIdentity);
  const config = recordOf(raw.config);
  const warnings = linesOf(config.warnings);
  const restart = linesOf(config.restart);
  const edit = editOf(config.edit);
  const control = recordOf(raw.control);
  const health = healthOf(raw.health);
  const replay = replayOf(recordOf(raw.replay));
  return {
    ...processOf(raw),
    state,
    run_id: textOf(raw.run_id) ?? '',
    config: {
      file: textOf(config.file),
      loaded: textOf(config.loaded),
      error: textOf(config.error),
      ...(warnings.length > 0 && { warnings }),
      ...(edit && { edit }),
      ...(restart.length > 0 && { restart }),
    },
    control: { seq: countOf(control.seq), paused: stageNames.filter(name => listOf(control.paused).includes(name)) },
    disk: diskOf(raw.disk),
    alarms: listOf(raw.alarms)
      .map(recordOf)
      .map(alarmOf)
      .filter(alarm => alarm !== null),
    stages,
    latency: latencyOf(raw.latency),
    throughput: throughputOf(raw.throughput),
    last_image: imageOf(recordOf(raw.last_image)),
    ...(health && { health }),
    ...(replay && { replay }),
    // A version that did not list them wrote one process's words.
    processes:
      listed.length === 0
        ? [self]
        : listed.map(one => ({
            ...processOf(one),
            state: wordOf(one.state, processStates, 'running'),
            stages: stageNames.filter(name => listOf(one.stages).includes(name)),
          })),
  };
}

const longestText = 1_000;
const maxListed = 500;

const processStates: readonly ProcessStatus['state'][] = ['starting', 'running', 'paused', 'draining', 'stopped'];
const stageStates: readonly StageState[] = ['off', 'starting', 'running', 'paused', 'draining', 'stopped'];

type Raw = Readonly<Record<string, unknown>>;

const recordOf = (value: unknown): Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : {};

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(-maxListed) : []);

const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

const countOf = (value: unknown): number => Math.max(0, numberOf(value) ?? 0);

const textOf = (value: unknown): string | null => (typeof value === 'string' ? plainText(value, longestText) : null);

const linesOf = (value: unknown): string[] =>
  listOf(value)
    .map(textOf)
    .filter(line => line !== null);

/** Null where there was none. */
function editOf(value: unknown): ConfigEdit | null {
  const raw = recordOf(value);
  const at = textOf(raw.at);
  if (at === null) return null;
  const taken = listOf(raw.taken)
    .map(recordOf)
    .flatMap(one => {
      const stage = stageNames.find(name => name === one.stage);
      return stage ? [{ stage, at: textOf(one.at) ?? '', changes: linesOf(one.changes) }] : [];
    });
  return { at, changes: linesOf(raw.changes), taken };
}

const wordOf = <T extends string>(value: unknown, words: readonly T[], otherwise: T): T =>
  words.find(word => word === value) ?? otherwise;

const isIdentity = (raw: Raw): boolean =>
  typeof raw.pid === 'number' && typeof raw.host === 'string' && typeof raw.boot_id === 'string';

/** Host and boot id are compared, not shown: they stay as they are. */
function processOf(raw: Raw): Pick<ProcessStatus, 'host' | 'pid' | 'boot_id' | 'pid_start' | 'started' | 'heartbeat'> {
  return {
    host: raw.host as string,
    pid: raw.pid as number,
    boot_id: raw.boot_id as string,
    pid_start: countOf(raw.pid_start),
    started: textOf(raw.started) ?? '',
    heartbeat: textOf(raw.heartbeat) ?? '',
  };
}

function stagesOf(value: unknown): PipelineStatus['stages'] {
  const raw = recordOf(value);
  const stages: PipelineStatus['stages'] = {};
  for (const name of stageNames) if (Object.hasOwn(raw, name)) stages[name] = stageOf(recordOf(raw[name]));
  return stages;
}

function stageOf(raw: Raw): StageStatus {
  return {
    state: wordOf(raw.state, stageStates, 'starting'),
    queued: countOf(raw.queued),
    expected: numberOf(raw.expected),
    in_flight: countOf(raw.in_flight),
    done: countOf(raw.done),
    failed: countOf(raw.failed),
    discarded: countOf(raw.discarded),
    lost: countOf(raw.lost),
    per_minute: countOf(raw.per_minute),
    target_per_minute: numberOf(raw.target_per_minute),
    // An earlier version knew the last minute alone.
    per_second: numberOf(Object.hasOwn(raw, 'per_second') ? raw.per_second : Number(raw.per_minute) / 60),
    peak_per_second: numberOf(raw.peak_per_second),
    busy: numberOf(raw.busy),
    most_per_second: numberOf(raw.most_per_second),
    rows_per_second: numberOf(raw.rows_per_second),
    bytes_per_second: numberOf(raw.bytes_per_second),
    last_done: textOf(raw.last_done),
    clears_in_ms: waitOf(raw.clears_in_ms),
    history: listOf(raw.history).slice(-historyBuckets).map(countOf),
    last_ms: numberOf(raw.last_ms),
    last_error: textOf(raw.last_error),
    last_error_at: textOf(raw.last_error_at),
    last_error_over: textOf(raw.last_error_over),
    heartbeat: textOf(raw.heartbeat),
    late: raw.late === 'stale' || raw.late === 'hung' ? raw.late : null,
  };
}

const waitOf = (value: unknown): number | 'never' | null => (value === 'never' ? value : numberOf(value));

function latencyOf(value: unknown): Latency | null {
  const raw = recordOf(value);
  const [median, p95] = [numberOf(raw.median_ms), numberOf(raw.p95_ms)];
  return median === null || p95 === null ? null : { median_ms: median, p95_ms: p95, results: countOf(raw.results) };
}

/** Null of a version that did not tell. */
function throughputOf(value: unknown): Throughput | null {
  const raw = recordOf(value);
  const stage = stageNames.find(name => name === raw.stage);
  if (stage === undefined) return null;
  const busiest = recordOf(raw.busiest);
  const [busiestStage, busy] = [stageNames.find(name => name === busiest.stage), numberOf(busiest.busy)];
  return {
    stage,
    per_second: numberOf(raw.per_second),
    peak_per_second: numberOf(raw.peak_per_second),
    target_per_minute: numberOf(raw.target_per_minute),
    rows_per_second: numberOf(raw.rows_per_second),
    disk_bytes_per_second: countOf(raw.disk_bytes_per_second),
    share_bytes_per_second: numberOf(raw.share_bytes_per_second),
    latency: latencyOf(raw.latency),
    waiting: countOf(raw.waiting),
    clears_in_ms: waitOf(raw.clears_in_ms),
    finished: countOf(raw.finished),
    expected: numberOf(raw.expected),
    busiest: busiestStage === undefined || busy === null ? null : { stage: busiestStage, busy },
  };
}

function alarmOf(raw: Raw): AlarmStatus | null {
  const stage = stageNames.find(name => name === raw.stage);
  const message = textOf(raw.message);
  if (stage === undefined || message === null) return null;
  return { stage, key: textOf(raw.key) ?? '', message, since: textOf(raw.since) ?? '', times: countOf(raw.times) || 1 };
}

/** Its names are looked for, and stay as they are. */
function imageOf({ filename, filepath, original, taken }: Raw): LastImage | null {
  if (typeof filename !== 'string' || typeof filepath !== 'string') return null;
  return { filename, filepath, original: original === true, taken: textOf(taken) ?? '' };
}

const lights: readonly HealthLight[] = ['green', 'amber', 'red', 'grey'];
const worstLights = ['green', 'amber', 'red'] as const;
const findingLights = ['amber', 'red'] as const;

/** Null where the health stage does not run, or is of a version that says less. */
function healthOf(value: unknown): HealthStatus | null {
  const raw = recordOf(value);
  const at = textOf(raw.at);
  if (at === null) return null;
  const stages = recordOf(raw.stages);
  const gap = recordOf(raw.last_gap);
  const [from, to] = [textOf(gap.from), textOf(gap.to)];
  return {
    at,
    light: wordOf(raw.light, worstLights, 'amber'),
    stages: Object.fromEntries(
      stageNames
        .filter(name => Object.hasOwn(stages, name))
        .map(name => [name, recordOf(stages[name])] as const)
        .map(([name, one]) => [name, { light: wordOf(one.light, lights, 'grey'), word: textOf(one.word) ?? '' }]),
    ),
    findings: listOf(raw.findings)
      .map(recordOf)
      .flatMap(({ key, message, since, light }) => {
        const said = textOf(message);
        if (said === null) return [];
        const known = { key: textOf(key) ?? '', since: textOf(since) ?? '' };
        return [{ ...known, message: said, light: wordOf(light, findingLights, 'amber') }];
      }),
    disk: diskOf(raw.disk),
    missed_frames: countOf(raw.missed_frames),
    last_gap: from === null || to === null ? null : { from, to, count: countOf(gap.count) },
    clock_jumps: countOf(raw.clock_jumps),
    released_claims: countOf(raw.released_claims),
  };
}

function replayOf(raw: Raw): PipelineStatus['replay'] | null {
  const folder = textOf(raw.folder);
  if (folder === null) return null;
  const seek = recordOf(raw.seek);
  const said = textOf(seek.said);
  return {
    folder,
    frame: countOf(raw.frame),
    count: numberOf(raw.count),
    read: countOf(raw.read),
    skipped: countOf(raw.skipped),
    recorded: textOf(raw.recorded),
    speed: numberOf(raw.speed),
    speed_now: numberOf(raw.speed_now),
    paused: raw.paused === true,
    left_seconds: numberOf(raw.left_seconds),
    seek: said === null ? null : { number: countOf(seek.number), said },
    ended: raw.ended === true,
  };
}

/** An earlier version named them otherwise. */
function diskOf(value: unknown): PipelineStatus['disk'] {
  const raw = recordOf(value);
  const free = numberOf(raw.free ?? raw.free_bytes);
  const size = numberOf(raw.size ?? raw.total_bytes);
  return free === null || size === null ? null : { free, size, full_at: textOf(raw.full_at) };
}
