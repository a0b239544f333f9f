import type { Entry } from '../model/entry.ts';
import type { StageName } from '../model/stage.ts';

/**
 * Which entries wait for which stage. One line a stage that works from the manifest; the index, `claim` and the counts
 * of waiting items all come from here. A predicate sees one entry and nothing else.
 */
export const stageWork = {
  processor: entry => entry.processing_status === 'pending' && entry.camera_data !== null && !entry.claims.processor,
  communicator: entry =>
    entry.processing_status === 'processed' && !entry.data_transmitted && !entry.claims.communicator,
} as const satisfies Partial<Record<StageName, (entry: Entry) => boolean>>;

/** A stage that takes its work from the manifest. */
export type QueueStage = keyof typeof stageWork;

export const queueStages = Object.keys(stageWork) as QueueStage[];
