import type { StageName } from '../model/stageName.ts';
import { backup } from './backup/backup.ts';
import { brightfield } from './brightfield/brightfield.ts';
import { collector } from './collector/collector.ts';
import { communicator } from './communicator/communicator.ts';
import { compressor } from './compressor/compressor.ts';
import { health } from './health/health.ts';
import { processor } from './processor/processor.ts';
import { ringBuffer } from './ringBuffer/ringBuffer.ts';
import type { Stage } from './stage/stage.ts';
import { syncer } from './syncer/syncer.ts';

/** What may be asked of any stage, whatever it works on. */
type AnyStage = Pick<Stage<unknown, unknown>, 'name' | 'exclusive' | 'settings' | 'follows' | 'pace'>;

const byName: Readonly<Record<StageName, AnyStage>> = {
  collector,
  brightfield,
  processor,
  communicator,
  compressor,
  syncer,
  ring_buffer: ringBuffer,
  backup,
  health,
};

/** Every stage, upstream first. A new stage is a folder, its name, a line here, which the compiler asks for, and its place in the graph. */
export const stages: readonly AnyStage[] = Object.values(byName);
