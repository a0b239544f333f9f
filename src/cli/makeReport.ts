import { basename, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { configHash } from '../config/configHash.ts';
import { configToml } from '../config/configToml.ts';
import type { Config } from '../config/schema.ts';
import { codeVersion } from '../files/codeVersion.ts';
import { contentHash } from '../files/contentHash.ts';
import { nodeFiles } from '../files/files.ts';
import { moment } from '../model/localTime.ts';
import { counted, duration } from '../model/quantity.ts';
import { readReferences, referencesFolder } from '../operators/processor/shiftReference.ts';
import type { ReportLayout } from '../sinks/report/readReportData.ts';
import { type ReportTask, writeReport } from '../sinks/report/reportProcess.ts';
import { seriesFolder } from '../sinks/series/seriesReader.ts';
import { SourceError } from '../streams/folder/sourceError.ts';
import { timeRange } from '../streams/folder/timeRange.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadSteered, type SteeredExperiment } from './loadSteered.ts';
import { untilSignal } from './ownCamera.ts';
import { quantitySettings } from './readFigures.ts';
import { experimentSteps } from './readSensing.ts';

export interface ReportOptions {
  out?: string;
  rois?: readonly string[];
  from?: string;
  to?: string;
  /** ms */
  every?: number;
  json?: true;
}

/** Writes a report of an experiment, once or again and again. @throws ExitError where there is nothing to report of */
export async function makeReport(context: CommandContext, options: ReportOptions): Promise<number> {
  const { every } = options;
  return untilSignal(async signal => {
    for (;;) {
      try {
        await once(context, options, signal);
      } catch (error) {
        const isWrongUse = error instanceof ExitError && error.code === exitCodes.usage;
        if (signal.aborted || every === undefined || isWrongUse) throw error;
        // The next may do.
        context.output.error(`no report this time: ${(error as Error).message}`);
      }
      if (every === undefined) return exitCodes.done;
      await wait(every, undefined, { signal });
    }
  });
}

async function once(context: CommandContext, options: ReportOptions, signal: AbortSignal): Promise<void> {
  const { output, cwd } = context;
  const { paths, config, ...experiment } = await loadSteered(context);
  const began = performance.now();
  const layoutText = await readFileText(paths.roiManifest);
  const roiText = layoutText.kind === 'text' ? layoutText.text : null;
  const groups = Object.entries(config.Experiment.groups);
  const task: ReportTask = {
    series: seriesFolder(paths.results),
    out: resolve(cwd, options.out ?? `${basename(paths.root)}-report`),
    title: basename(paths.root),
    span: spanOf(options),
    rois: options.rois ?? [],
    groups:
      groups.length > 0 ? groups.map(([name, patterns]) => ({ name, patterns })) : [{ name: 'all ROIs', patterns: [] }],
    steps: await experimentSteps(config, paths.results, line => output.error(line)),
    layout: roiText === null ? null : layoutOf(roiText, paths.roiManifest, line => output.error(line)),
    quantities: quantitiesOf(config),
    kept: options.from === undefined && options.to === undefined ? paths.results : null,
    about: await aboutOf({ paths, config, ...experiment }, roiText),
    config: configToml(config),
  };
  const answer = await writeReport(task, { signal });
  if (answer.refused !== null)
    throw new ExitError(answer.isChoice ? exitCodes.usage : exitCodes.failed, answer.refused);
  const { files, images, rois, notes } = answer;
  if (options.json) {
    output.line(JSON.stringify({ folder: task.out, files, images, rois, notes }));
    return;
  }
  for (const note of notes) output.error(note);
  const took = duration(performance.now() - began);
  output.line(
    `${join(task.out, 'report.html')}: ${counted(images, 'image')}, ${counted(rois, 'ROI')}, and ${(files.length - 1) / 2} pictures beside it, in ${took}`,
  );
}

/** What can be given to another process. */
function quantitiesOf(config: Config): ReportTask['quantities'] {
  const { groups, ...others } = quantitySettings(config);
  return others;
}

function spanOf({ from, to }: ReportOptions): ReportTask['span'] {
  try {
    return timeRange(from, to);
  } catch (error) {
    if (error instanceof SourceError) throw new ExitError(exitCodes.usage, error.message, { cause: error });
    throw error;
  }
}

/** Where the ROIs and the gratings of the chip lie; null where the manifest can't be read. */
function layoutOf(text: string, file: string, report: (line: string) => void): ReportLayout | null {
  try {
    const { rois, madeFor } = parseRoiManifest(text, file);
    const { scale = 1, offset: [left, top] = [0, 0], gratings = [] } = madeFor ?? {};
    return {
      places: Object.fromEntries(
        rois.map(({ label, coords: [y, x], size: [height, width] }) => [label, { x, y, width, height }]),
      ),
      outlines: gratings.map(grating => ({
        x: grating.left * scale + left,
        y: grating.top * scale + top,
        width: grating.width * scale,
        height: grating.height * scale,
      })),
    };
  } catch (error) {
    report(`${(error as Error).message}: the pictures show the ROIs in their order`);
    return null;
  }
}

/** What the results were made with, by name. */
async function aboutOf({ config, paths }: SteeredExperiment, roiText: string | null): Promise<ReportTask['about']> {
  const references = await readReferences(nodeFiles, join(paths.results, referencesFolder));
  const reference = references.at(-1);
  return [
    ['experiment', paths.root],
    ['report written', moment(Date.now())],
    ['code version', codeVersion()],
    ['configuration (hash)', configHash(config)],
    ['ROI manifest (hash)', roiText === null ? 'it can not be read' : contentHash(roiText)],
    [
      'reference of the shift (hash)',
      reference
        ? `${reference.hash}, made ${reference.made} with ${reference.method}; ${references.length} in all`
        : 'none',
    ],
  ];
}
