import type { Config } from '../config/schema.ts';
import { readMarks } from '../files/experimentMarks.ts';
import { nodeFiles } from '../files/files.ts';
import { type ExperimentStep, inOrderOfTime } from '../model/experimentStep.ts';
import { labelPatterns } from '../model/labelPatterns.ts';
import { type Sensing, sense } from '../quantities/sensing.ts';
import { chooseFrames } from '../sinks/series/chosenFrames.ts';
import { readCurves, type SeriesCurves } from '../sinks/series/seriesCurves.ts';
import { SeriesReader, seriesFolder } from '../sinks/series/seriesReader.ts';

/** The steps of an experiment, in order of time: those of the configuration, and those that were marked. */
export async function experimentSteps(
  config: Config,
  results: string,
  report: (message: string) => void,
): Promise<ExperimentStep[]> {
  return inOrderOfTime([...config.Experiment.steps, ...(await readMarks(nodeFiles, results, report))]);
}

/** The groups of an experiment; without any, one of all ROIs. */
export function experimentGroups({
  Experiment: { groups },
}: Config): { name: string; has: (label: string) => boolean }[] {
  const named = Object.entries(groups).map(([name, patterns]) => ({ name, has: labelPatterns(patterns) }));
  return named.length > 0 ? named : [{ name: 'all ROIs', has: () => true }];
}

/** The curves of all ROIs and what they say of the steps of the experiment. @throws the file system's errors */
export async function readSensing(
  config: Config,
  results: string,
  report: (message: string) => void,
): Promise<{ curves: SeriesCurves; sensing: Sensing }> {
  const series = await SeriesReader.look(nodeFiles, seriesFolder(results), {
    damaged: ({ message }) => report(`left out: ${message}`),
  });
  const frames = await chooseFrames(series, { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY });
  const curves = await readCurves(frames, () => true);
  const steps = await experimentSteps(config, results, report);
  return { curves, sensing: sense({ ...curves, steps, groups: experimentGroups(config) }) };
}
