import type { Control } from './control.ts';
import type { ReplayProgress } from './replay.ts';
import type { StageName, StageState } from './stageName.ts';
import type { HealthStatus, PipelineStatus } from './status.ts';

/** `debug` is what happens for every item besides its outcome; a log leaves it out. */
export type EventLevel = 'debug' | 'info' | 'warning' | 'error';

/**
 * What happens in the pipeline, as one stream that status file, log, progress bar and console read.
 * `at` is milliseconds since 1970 UTC by the pipeline's clock.
 */
export type PipelineEvent = StageEvent | ConfigEvent | ControlEvent | NoteEvent;

export type StageEvent = {
  stage: StageName;
  at: number;
} /** `places`: on how many items it can work at once, where that is not one. */ & (
  | { kind: 'state'; state: StageState; places?: number }
  /** Items that now wait for the stage. */
  | { kind: 'queued'; count: number }
  /** Items that will come in all, where the source knows. */
  | { kind: 'expected'; count: number }
  /** Where a replay stands, from time to time. */
  | { kind: 'replay'; progress: ReplayProgress }
  /** `workedMs`: how long the stage had worked for them before: a camera that exposes. */
  | { kind: 'claimed'; count: number; workedMs?: number }
  /** Finished well; `ms` is how long it took, `detail` what there is to say of it. */
  | { kind: 'done'; entryId: string; ms: number; detail: Readonly<Record<string, string | number>> }
  /** A round over all that a stage keeps up to date as a whole has gone through: no item, and of no entry. */
  | { kind: 'round'; ms: number; detail: Readonly<Record<string, string | number>> }
  /** The item is bad, the stage is well: the entry is marked and the stream goes on. */
  | { kind: 'failed'; entryId: string; ms: number; error: string }
  /** Left out on purpose (outcome of an aborted work, frame not wanted). `count`: how many, where it is not one. */
  | { kind: 'discarded'; entryId: string | null; reason: string; count?: number }
  /** The stage itself can't work: it waits and tries again by itself. `key` names what is wrong. */
  | { kind: 'alarm'; key: string; message: string; retryInMs: number }
  | { kind: 'well'; key: string }
  /** A change of the stage's settings took effect; each line reads `key old → new`. */
  | { kind: 'settings'; changes: readonly string[] }
  /** How often the configuration asks the stage to come round, and for how many items; null: no oftener than there is work. */
  | { kind: 'pace'; intervalMs: number | null; perMinute: number | null }
  /** It has looked for work: a sign of life. */
  | { kind: 'beat' }
  /** What the health stage has seen in a round, and the status that it was judged by; null where there was none. */
  | { kind: 'health'; report: HealthStatus; pipeline: PipelineStatus | null }
);

export type ConfigEvent =
  | {
      kind: 'config';
      at: number;
      file: string | null;
      changes: readonly string[];
      warnings: readonly string[];
      /** All that differs from what the process began with, and takes effect at the next start only. */
      restart?: readonly string[];
    }
  | { kind: 'config_error'; at: number; file: string; error: string };

/** What a person asked for in the control file was seen, and is obeyed from now on. */
export interface ControlEvent extends Control {
  kind: 'control';
  /** What was asked for until then; absent: nothing. */
  before?: Control;
  at: number;
}

/** Something worth a line in the log that belongs to no item. */
export interface NoteEvent {
  kind: 'note';
  at: number;
  level: 'info' | 'warning' | 'error';
  stage: StageName | null;
  message: string;
}
