import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { configToml } from '../config/configToml.ts';
import type { Config } from '../config/schema.ts';
import { codeVersion } from '../files/codeVersion.ts';
import { nodeFiles } from '../files/files.ts';
import { moment } from '../model/localTime.ts';
import { counted, duration } from '../model/quantity.ts';
import type { RoiManifest } from '../model/roi.ts';
import { readReferences, referencesFolder } from '../operators/processor/referenceFiles.ts';
import { madeWith, madeWords, sinceWords } from '../provenance/madeWith.ts';
import { configOf, noSnapshot, roisOf } from '../provenance/resultOrigin.ts';
import type { ReportLayout } from '../sinks/report/readReportData.ts';
import { type ReportTask, writeReport } from '../sinks/report/reportProcess.ts';
import type { FrameSpan } from '../sinks/series/chosenFrames.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { frameSpan } from './frameSpan.ts';
import { loadExperiment, type SteeredExperiment } from './loadSteered.ts';
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
  const { paths, config, ...experiment } = await loadExperiment(context);
  const began = performance.now();
  const groups = Object.entries(config.Experiment.groups);
  const span = frameSpan(options);
  const task: ReportTask = {
    out: resolve(cwd, options.out ?? `${basename(paths.root)}-report`),
    title: basename(paths.root),
    span,
    rois: options.rois ?? [],
    groups:
      groups.length > 0 ? groups.map(([name, patterns]) => ({ name, patterns })) : [{ name: 'all ROIs', patterns: [] }],
    steps: await experimentSteps(config, paths.results, line => output.error(line)),
    quantities: quantitiesOf(config),
    results: paths.results,
    ...(await originOf({ paths, config, ...experiment }, span, line => output.error(line))),
  };
  const isReplaced = refuseOther(task.out);
  const answer = await writeReport(task, { signal });
  if (answer.refused !== null)
    throw new ExitError(answer.isChoice ? exitCodes.usage : exitCodes.failed, answer.refused);
  const { files, images, rois, notes } = answer;
  if (options.json) {
    output.line(JSON.stringify({ folder: task.out, files, images, rois, notes }));
    return;
  }
  for (const note of notes) output.error(note);
  if (isReplaced && options.every === undefined) output.error(`the report that was in ${task.out} is replaced`);
  const took = duration(performance.now() - began);
  output.line(
    `${join(task.out, 'report.html')}: ${counted(images, 'image')}, ${counted(rois, 'ROI')}, and ${(files.length - 1) / 2} pictures beside it, in ${took}`,
  );
}

/** Whether a report is there already. @throws ExitError `usage` for a folder of something else */
function refuseOther(folder: string): boolean {
  if (existsSync(join(folder, 'report.html'))) return true;
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined || (found.isDirectory() && readdirSync(folder).length === 0)) return false;
  const what = found.isDirectory() ? 'has files that are no report' : 'is no folder';
  throw new ExitError(exitCodes.usage, `${folder} ${what}: name another folder with --out`);
}

/** What can be given to another process. */
function quantitiesOf(config: Config): ReportTask['quantities'] {
  const { groups, ...others } = quantitySettings(config);
  return others;
}

/** Where the ROIs and the gratings of the chip lie, as the newest of some manifests has them that has the ROI; null without any. */
function layoutOf(manifests: readonly RoiManifest[]): ReportLayout | null {
  const last = manifests.at(-1);
  if (!last) return null;
  const { scale = 1, offset: [left, top] = [0, 0], gratings = [] } = last.madeFor ?? {};
  return {
    places: Object.fromEntries(
      manifests
        .flatMap(({ rois }) => rois)
        .map(({ label, coords: [y, x], size: [height, width] }) => [label, { x, y, width, height }]),
    ),
    outlines: gratings.map(grating => ({
      x: grating.left * scale + left,
      y: grating.top * scale + top,
      width: grating.width * scale,
      height: grating.height * scale,
    })),
  };
}

/** The manifest of now. */
async function readRois(file: string, warn: (line: string) => void): Promise<RoiManifest[]> {
  const text = await readFileText(file);
  if (text.kind !== 'text') return [];
  try {
    return [parseRoiManifest(text.text, file)];
  } catch (error) {
    warn(`${(error as Error).message}: the pictures show the ROIs in their order`);
    return [];
  }
}

/** What the results of a span were made with, by name, and the settings and places of ROIs among it. */
async function originOf(
  { config, paths }: SteeredExperiment,
  span: FrameSpan,
  warn: (line: string) => void,
): Promise<Pick<ReportTask, 'about' | 'configs' | 'layout'>> {
  const made = await madeWith({ paths, files: nodeFiles, span, warn });
  const references = await readReferences(nodeFiles, join(paths.results, referencesFolder));
  const referenceWords = (hash: string): string => {
    const record = references.find(each => each.hash === hash);
    return record ? `${hash} (made ${record.made.slice(0, 19)} with ${record.method})` : hash;
  };
  const configs = await Promise.all(
    made.config_hash.map(async ({ value, since }) => {
      const found = await configOf(value, { paths, config, files: nodeFiles });
      const title = `Configuration ${value}${made.config_hash.length > 1 ? `, ${sinceWords(since)}` : ''}`;
      return [
        title,
        found.config ? configToml(found.config) : noSnapshot('configuration', value, paths.backup),
      ] as const;
    }),
  );
  const manifests = await Promise.all(
    made.roi_manifest_hash.map(async ({ value }) => (await roisOf(value, { paths, files: nodeFiles })).manifest),
  );
  const known = manifests.filter(manifest => manifest !== null);
  return {
    layout: layoutOf(known.length > 0 ? known : await readRois(paths.roiManifest, warn)),
    about: [
      ['experiment', paths.root],
      ['report written', `${moment(Date.now())}, by ${codeVersion()}`],
      ['code version', madeWords(made.code_version)],
      ['configuration (hash)', madeWords(made.config_hash)],
      ['ROI manifest (hash)', madeWords(made.roi_manifest_hash)],
      ['reference of the shift (hash)', madeWords(made.reference, referenceWords)],
    ],
    configs: configs.length > 0 ? configs : [['Configuration as it is now', configToml(config)]],
  };
}
