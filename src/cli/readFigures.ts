import type { Config } from '../config/schema.ts';
import { nodeFiles } from '../files/files.ts';
import type { RunFigures, ShiftChange } from '../quantities/quantities.ts';
import { type QuantitySettings, readQuantities } from '../sinks/quantities/readQuantities.ts';
import { type ChosenFrames, chooseFrames } from '../sinks/series/chosenFrames.ts';
import { SeriesReader, seriesFolder } from '../sinks/series/seriesReader.ts';
import { experimentGroups } from './readSensing.ts';

/** What the configuration says of the figures. */
export function quantitySettings(config: Config): QuantitySettings {
  const { window_frames: windowFrames, temperature_sensor: sensor } = config.Quantities;
  return { windowFrames, sensor, groups: experimentGroups(config) };
}

/** The figures of an experiment, all its changes, and the images that they are from. @throws the file system's errors */
export async function readFigures(
  config: Config,
  results: string,
  report: (message: string) => void,
): Promise<{ frames: ChosenFrames; figures: RunFigures; changes: readonly ShiftChange[] }> {
  const series = await SeriesReader.look(nodeFiles, seriesFolder(results), {
    damaged: ({ message }) => report(`left out: ${message}`),
  });
  const frames = await chooseFrames(series, { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY });
  return { frames, ...(await readQuantities(frames, quantitySettings(config))) };
}
