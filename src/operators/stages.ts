import { backup } from './backup/backup.ts';
import { collector } from './collector/collector.ts';
import { communicator } from './communicator/communicator.ts';
import { compressor } from './compressor/compressor.ts';
import { health } from './health/health.ts';
import { processor } from './processor/processor.ts';
import { ringBuffer } from './ringBuffer/ringBuffer.ts';
import type { Stage } from './stage/stage.ts';
import { syncer } from './syncer/syncer.ts';

/** Every stage, upstream first. A new stage is a folder, a line here, and its place in the graph. */
export const stages: readonly Pick<Stage<unknown, unknown>, 'name' | 'exclusive' | 'settings' | 'pace'>[] = [
  collector,
  processor,
  communicator,
  compressor,
  syncer,
  ringBuffer,
  backup,
  health,
];
