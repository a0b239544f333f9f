import type { Config } from '../../config/schema.ts';
import type { Replay } from './experiment.ts';

/** Images a minute that the camera brings, which every stage must keep up with; null where a folder is read as fast as there is room. */
export function framesPerMinute({ Services, Timing }: Config, replay: Replay | null): number | null {
  return replay === null && Services.enable_camera ? 60 / Timing.collector_interval_seconds : null;
}
