import { isDeepStrictEqual } from 'node:util';
import { distinctUntilChanged, map, type Observable } from 'rxjs';
import type { Config } from '../config/schema.ts';
import { nodeFiles } from '../files/files.ts';
import { clockTime } from '../model/experimentStep.ts';
import type { RunFigures, ShiftChange } from '../quantities/quantities.ts';
import { lookAtKept } from '../sinks/quantities/quantitiesFollower.ts';
import { type QuantitySettings, readQuantities } from '../sinks/quantities/readQuantities.ts';
import { chooseFrames, type FrameSpan } from '../sinks/series/chosenFrames.ts';
import type { SeriesReader } from '../sinks/series/seriesReader.ts';
import { timeRange } from '../streams/folder/timeRange.ts';
import { experimentGroups } from './readSensing.ts';

/** What the configuration says of the figures. */
export function quantitySettings(config: Config): QuantitySettings {
  const {
    window_frames: windowFrames,
    temperature_sensor: sensor,
    zero_from,
    zero_to,
    alarm_sigmas,
  } = config.Quantities;
  const isZeroed = zero_from !== '' && zero_to !== '';
  return {
    windowFrames,
    sensor,
    groups: experimentGroups(config),
    zero: isZeroed ? { from: clockTime(zero_from), end: endOf(zero_to) } : null,
    alarmSigmas: alarm_sigmas,
    key: JSON.stringify([sensor, config.Experiment.groups]),
  };
}

/** As ends in commands, but for `zero`, which writes to the millisecond what it has chosen. */
const endOf = (to: string): number => (to.includes('.') ? clockTime(to) : timeRange(undefined, to).end);

/** The same, whenever it has changed. */
export const quantities$ = (config$: Observable<Config>): Observable<QuantitySettings> =>
  config$.pipe(
    distinctUntilChanged((a, b) =>
      isDeepStrictEqual([a.Quantities, a.Experiment.groups], [b.Quantities, b.Experiment.groups]),
    ),
    map(quantitySettings),
  );

/**
 * The figures of an experiment, and all its changes: of the whole run from where the pipeline has come, where that was kept.
 * @throws the file system's errors
 */
export async function readFigures(
  results: string,
  settings: QuantitySettings,
  span: FrameSpan,
  series: SeriesReader,
): Promise<{ figures: RunFigures; changes: readonly ShiftChange[] }> {
  const isWhole = span.from === Number.NEGATIVE_INFINITY && span.end === Number.POSITIVE_INFINITY;
  return (
    (isWhole && (await lookAtKept(settings, results, nodeFiles))) ||
    readQuantities(await chooseFrames(series, span), settings)
  );
}
