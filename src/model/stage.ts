/** Every stage of the pipeline, upstream first. The order is that of the graph and of shutdown. */
export const stageNames = [
  'collector',
  'processor',
  'communicator',
  'compressor',
  'syncer',
  'ring_buffer',
  'backup',
  'health',
] as const;

export type StageName = (typeof stageNames)[number];

/** Stages of which a root may have only one at a time; the others may run in any number of processes. */
export const exclusiveStages: readonly StageName[] = ['collector', 'communicator', 'backup', 'ring_buffer', 'syncer'];

export type StageState = 'off' | 'starting' | 'running' | 'paused' | 'draining' | 'stopped';
