/** Every stage of the pipeline, upstream first. The order is that of the graph and of shutdown. */
export const stageNames = [
  'collector',
  'brightfield',
  'processor',
  'communicator',
  'compressor',
  'syncer',
  'ring_buffer',
  'backup',
  'health',
] as const;

export type StageName = (typeof stageNames)[number];

export type StageState = 'off' | 'starting' | 'running' | 'paused' | 'draining' | 'stopped';
