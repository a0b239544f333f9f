import { type Entry, isBrightfield } from '../model/entry.ts';
import type { StageName } from '../model/stageName.ts';
import { isSettled } from './isSettled.ts';
import { isAnalysed, isCompressed, isSynced, takesSpace, type WorkRules } from './workRules.ts';

/** Stages that change an entry's file, or where it is: one at a time, and none while the image is being analysed. */
const fileStages: readonly StageName[] = ['compressor', 'syncer', 'ring_buffer'];

/**
 * Which entries wait for which stage. One line a stage that works from the manifest; the index, `claim` and the counts
 * of waiting items all come from here. A predicate sees one entry, and which stages there are.
 */
export const stageWork = {
  processor: entry =>
    entry.processing_status === 'pending' &&
    entry.camera_data !== null &&
    !isBrightfield(entry.camera_data) &&
    !entry.claims.processor &&
    isFileFree(entry),
  communicator: entry =>
    entry.processing_status === 'processed' && !entry.data_transmitted && !entry.claims.communicator,
  compressor: (entry, rules) => isAnalysed(entry) && !isCompressed(entry, rules) && isFileFree(entry),
  syncer: (entry, rules) =>
    rules.sync && isAnalysed(entry) && !isSynced(entry, rules) && isCompressed(entry, rules) && isFileFree(entry),
  // What it may remove, which is more than it will.
  ring_buffer: (entry, rules) => takesSpace(entry) && isSettled(entry, rules),
} as const satisfies Partial<Record<StageName, (entry: Entry, rules: WorkRules) => boolean>>;

/** A stage that takes its work from the manifest. */
export type QueueStage = keyof typeof stageWork;

export const isQueueStage = (name: StageName): name is QueueStage => name in stageWork;

export const queueStages = Object.keys(stageWork) as QueueStage[];

/** Those whose queue is work to be done: what the ring buffer may remove need never be removed. */
export const countedStages = queueStages.filter(stage => stage !== 'ring_buffer');

function isFileFree({ claims }: Entry): boolean {
  return !fileStages.some(stage => claims[stage]);
}
