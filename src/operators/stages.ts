import { backup } from './backup.ts';
import { collector } from './collect.ts';
import { communicator } from './communicate.ts';
import { compressor } from './compress.ts';
import { processor } from './process.ts';
import { ringBuffer } from './ringBuffer.ts';
import type { Stage } from './stage.ts';
import { syncer } from './sync.ts';
import { health } from './watchHealth.ts';

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
