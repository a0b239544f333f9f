import type { RunFigures, ShiftChange } from '../../quantities/quantities.ts';
import { RunTracker, type TrackedFrame, type TrackSettings } from '../../quantities/trackRun.ts';
import type { ChosenFrames } from '../series/chosenFrames.ts';
import { trackedFrame } from './trackedFrame.ts';

export interface QuantitySettings extends TrackSettings {
  /** Sensor that the temperature is taken from; empty: the first one. */
  sensor: string;
  /** Standard errors of the control chart's alarm; 0: none. */
  alarmSigmas: number;
  /** Tells settings apart by which a run must be followed from its beginning. */
  key: string;
}

/** Images that are taken together, as nothing waits for a rest. */
const together = 32;

/**
 * The figures of a run from its series alone, by the same code and in the same numbers as while it went on, and all its changes in the order in which
 * they were found.
 * @throws the file system's errors
 */
export async function readQuantities(
  frames: ChosenFrames,
  settings: QuantitySettings,
): Promise<{ figures: RunFigures; changes: readonly ShiftChange[] }> {
  const tracker = new RunTracker(settings);
  const changes: ShiftChange[] = [];
  let waiting: TrackedFrame[] = [];
  for await (const { row, ...header } of frames.read()) {
    waiting.push(trackedFrame(row, header, settings.sensor));
    if (waiting.length < together) continue;
    for (const change of tracker.takeAll(waiting)) changes.push(change);
    waiting = [];
  }
  for (const change of tracker.takeAll(waiting)) changes.push(change);
  return { figures: tracker.figures(settings.sensor || (frames.sensors[0] ?? null)), changes };
}
