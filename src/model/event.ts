import type { StageName, StageState } from './stage.ts';

/**
 * What happens in the pipeline, as one stream that status file, log, progress bar and console read.
 * `at` is milliseconds since 1970 UTC by the pipeline's clock.
 */
export type PipelineEvent = StageEvent | ConfigEvent | NoteEvent;

export type StageEvent = { stage: StageName; at: number } & (
  | { kind: 'state'; state: StageState }
  /** Items that now wait for the stage. */
  | { kind: 'queued'; count: number }
  /** Items that will come in all, where the source knows. */
  | { kind: 'expected'; count: number }
  | { kind: 'claimed'; count: number }
  /** Finished well; `ms` is how long it took, `detail` what there is to say of it. */
  | { kind: 'done'; entryId: string; ms: number; detail: Readonly<Record<string, string | number>> }
  /** The item is bad, the stage is well: the entry is marked and the stream goes on. */
  | { kind: 'failed'; entryId: string; ms: number; error: string }
  /** Left out on purpose (outcome of an aborted work, frame not wanted). */
  | { kind: 'discarded'; entryId: string | null; reason: string }
  /** The stage itself can't work: it waits and tries again by itself. `key` names what is wrong. */
  | { kind: 'alarm'; key: string; message: string; retryInMs: number }
  | { kind: 'well'; key: string }
  /** A change of the stage's settings took effect; each line reads `key old → new`. */
  | { kind: 'settings'; changes: readonly string[] }
);

export type ConfigEvent =
  | { kind: 'config'; at: number; file: string | null; changes: readonly string[]; warnings: readonly string[] }
  | { kind: 'config_error'; at: number; file: string; error: string };

/** Something worth a line in the log that belongs to no item. */
export interface NoteEvent {
  kind: 'note';
  at: number;
  level: 'info' | 'warning' | 'error';
  stage: StageName | null;
  message: string;
}
