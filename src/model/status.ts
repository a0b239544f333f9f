import type { ProcessIdentity } from './entry.ts';
import type { ReplayStatus } from './replay.ts';
import type { StageName, StageState } from './stageName.ts';

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
  /** Items per minute that the configuration asks for; null when it asks for as many as there is room for. */
  target_per_minute: number | null;
  /** Items done or failed a second, now; null while too few were to tell. */
  per_second: number | null;
  /** The highest that it has been since the process started, over some seconds at least. */
  peak_per_second: number | null;
  /** Share of the time that it works now, 0 to 1: of all that it may work on at once. Null while that can't be told. */
  busy: number | null;
  /** Items a second that it would do if it worked all the time; null while that can't be told. */
  most_per_second: number | null;
  /** Rows fitted a second; null of a stage that fits none. */
  rows_per_second: number | null;
  /** Bytes written a second, to the disk or, by the syncer, to the share; null of a stage that writes no files. */
  bytes_per_second: number | null;
  /** When the last item was done or failed. */
  last_done: string | null;
  /** Only in the merge: how long it will take until nothing waits, ms; `never`: more comes than it can do. Null while that can't be told. */
  clears_in_ms?: number | 'never' | null;
  /** Items done or failed in each of the last {@link historyBuckets} spans of {@link historyBucketMs}, oldest first. */
  history: number[];
  /** How long the last item took, ms. */
  last_ms: number | null;
  last_error: string | null;
  /** When that was. Null where no error was, or where a version does not say. */
  last_error_at?: string | null;
  /** Since when it is over: its alarm has ended, or a later item was done. Null while it stands. */
  last_error_over?: string | null;
  /** Last sign of life. */
  heartbeat: string | null;
  /** `stale`: it should have looked for work by now. `hung`: it has work and nothing comes of it. */
  late: 'stale' | 'hung' | null;
}

export const historyBucketMs = 5_000;
export const historyBuckets = 60;

/** How long it takes from a frame to its result, of the last results. */
export interface Latency {
  median_ms: number;
  /** 95 of 100 take no longer. */
  p95_ms: number;
  /** Of so many results. */
  results: number;
}

/** The pipeline as a whole. */
export interface Throughput {
  /** The stage whose items are counted: the one that makes results, or where none does, the one that takes frames. */
  stage: StageName;
  /** As of that stage. */
  per_second: number | null;
  peak_per_second: number | null;
  target_per_minute: number | null;
  rows_per_second: number | null;
  /** Images written to the disk, compressed ones too; and copied to the share. */
  disk_bytes_per_second: number;
  share_bytes_per_second: number | null;
  latency: Latency | null;
  /** Frames that wait for their result, and how long that will take, ms; as of a stage. */
  waiting: number;
  clears_in_ms: number | 'never' | null;
  /** Frames that have their result or have failed, and those that will come in all, where that is known. */
  finished: number;
  expected: number | null;
  /** The stage that works most of its time. */
  busiest: { stage: StageName; busy: number } | null;
}

export interface AlarmStatus {
  stage: StageName;
  key: string;
  message: string;
  since: string;
  /** How often it has been raised since. */
  times: number;
}

/** The image that was collected last, as its entry names it. */
export interface LastImage {
  filename: string;
  filepath: string;
  original: boolean;
  /** UTC; of an entry of the Python system, local. */
  taken: string;
}

/** The disk of the experiment, bytes. */
export interface DiskStatus {
  free: number;
  size: number;
  /** When it will be full, at the rate of the last hour; null when it does not fill. */
  full_at: string | null;
}

/** How a stage is, at a glance: well, worth a look, in trouble; grey where nothing is asked of it. */
export type HealthLight = 'green' | 'amber' | 'red' | 'grey';

/** Something that the health stage has found, and that stands until it is well again by itself. */
export interface HealthFinding {
  /** Names what is wrong; the key of its alarm. */
  key: string;
  message: string;
  since: string;
  light: 'amber' | 'red';
}

/** Frames that should have been taken between two others. Times are UTC. */
export interface FrameGap {
  from: string;
  to: string;
  count: number;
}

/** What the health stage knows; counts are from its start on. */
export interface HealthStatus {
  /** When it looked last. */
  at: string;
  /** The worst of stages and findings. */
  light: Exclude<HealthLight, 'grey'>;
  stages: Partial<Record<StageName, { light: HealthLight; word: string }>>;
  findings: HealthFinding[];
  disk: DiskStatus | null;
  missed_frames: number;
  last_gap: FrameGap | null;
  clock_jumps: number;
  /** Claims of processes that were gone, settled or released. */
  released_claims: number;
}

/** An edit of the configuration that was taken over. Times are UTC. */
export interface ConfigEdit {
  at: string;
  /** `key before → after`. */
  changes: string[];
  /** Those of the changes that a stage takes, and when they took effect. */
  taken: { stage: StageName; at: string; changes: string[] }[];
}

/** What one process says of itself in `flags/status/<host>-<pid>.json`. */
export interface ProcessStatus extends ProcessIdentity {
  started: string;
  state: 'starting' | 'running' | 'paused' | 'draining' | 'stopped';
  /** When this was written. */
  heartbeat: string;
  run_id: string;
  config: {
    file: string | null;
    loaded: string | null;
    /** What is wrong with the file as it is now; the last good settings count. */
    error: string | null;
    /** What is doubtful in the settings that count, until it is mended. */
    warnings?: string[];
    /** The last edit since the start; left out while there was none. */
    edit?: ConfigEdit;
    /** What takes effect at the next start only: `key now → then`. */
    restart?: string[];
  };
  /** The control file that is obeyed: its number, and the stages that it pauses. */
  control: { seq: number; paused: StageName[] };
  disk: DiskStatus | null;
  alarms: AlarmStatus[];
  stages: Partial<Record<StageName, StageStatus>>;
  /** Null while there is no result. */
  latency: Latency | null;
  /** Null while there is none. */
  last_image: LastImage | null;
  /** Only where the health stage runs. */
  health?: HealthStatus;
  /** Only of a replay. */
  replay?: ReplayStatus;
}

/** What `pipeline_status.json` holds: the oldest living process's own words, the stages of all. */
export interface PipelineStatus extends ProcessStatus {
  /** Null where no stage takes frames or makes results; and of a version that did not tell. */
  throughput: Throughput | null;
  /** Every process in it, so that a reader can tell for each whether it still runs. */
  processes: (Pick<ProcessStatus, 'host' | 'pid' | 'boot_id' | 'pid_start' | 'started' | 'state' | 'heartbeat'> & {
    stages: StageName[];
  })[];
}

/**
 * What a reader can say of a pipeline. `none`: none has run in this root yet. `crashed`: its processes are gone and did not
 * say so. `unreachable`: it runs on another machine that is silent.
 */
export type Connection = 'none' | 'running' | 'stopped' | 'crashed' | 'unreachable';

export interface StatusReading {
  connection: Connection;
  /** Null only with `none`. */
  status: PipelineStatus | null;
}
