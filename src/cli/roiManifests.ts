import { dirname, join, resolve } from 'node:path';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { CalibrationError } from '../calibration/calibrationError.ts';
import { roiDrawing } from '../calibration/calibrationPictures.ts';
import { selectRois } from '../calibration/selectRois.ts';
import { surveyRois } from '../calibration/surveyRois.ts';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { counted } from '../model/quantity.ts';
import type { Roi, RoiManifest } from '../model/roi.ts';
import { drawSvg } from '../sinks/drawing/drawProcess.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import { backgroundOf, readReference } from './calibrationFiles.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadConfig } from './loadConfig.ts';
import { writeRoiManifest } from './writeRoiManifest.ts';

/** Options of `rois`: files, as they are typed. */
export interface RoisOptions {
  rois?: string;
  image?: string;
  out?: string;
}

/** Runs `rois check`. */
export async function checkRois(context: CommandContext, options: RoisOptions): Promise<number> {
  const { output, cwd } = context;
  const { paths } = await loadConfig(context);
  const { manifest, file } = await readManifest(context, paths, options);
  const { pixels, file: imageFile } = await readReference(
    options.image === undefined ? paths.roiGenerationImage : resolve(cwd, options.image),
  );
  const { onLight, outside, onNothing } = surveyRois(pixels, manifest);
  output.line(
    `${file}: ${counted(manifest.rois.length, 'region')} on ${imageFile}, ${pixels.width} × ${pixels.height} pixels`,
  );
  const { madeFor } = manifest;
  const isOther = madeFor !== undefined && (madeFor.width !== pixels.width || madeFor.height !== pixels.height);
  if (isOther)
    output.line(`the manifest was made for images of another size, ${madeFor.width} × ${madeFor.height} pixels`);
  output.line(`on light        ${onLight.length}`);
  output.line(`partly outside  ${named(outside)}`);
  output.line(`on nothing      ${named(onNothing)}`);
  const picture = options.out === undefined ? join(paths.generatedFiles, 'ROI_check.png') : resolve(cwd, options.out);
  await makeFolder(nodeFiles, dirname(picture));
  const svg = roiDrawing(manifest.rois, manifest.imageAngle, await backgroundOf(pixels));
  await writeAtomic(nodeFiles, picture, await drawSvg(svg));
  output.line(`written         ${picture}`);
  return isOther || outside.length + onNothing.length > 0 ? exitCodes.failed : exitCodes.done;
}

/** `3: 001A_N, 001A_S, 002A_N`. */
function named(rois: readonly Roi[]): string {
  if (rois.length === 0) return '0';
  const some = rois.slice(0, 8).map(({ label }) => label);
  return `${rois.length}: ${some.join(', ')}${rois.length > some.length ? ', …' : ''}`;
}

/** Runs `rois select`. */
export async function selectFromRois(
  context: CommandContext,
  patterns: readonly string[],
  options: RoisOptions,
): Promise<number> {
  const { output, cwd } = context;
  if (patterns.length === 0)
    throw new ExitError(exitCodes.usage, `which regions? For example: phorest rois select '0[0-5]?A*'`);
  const { paths } = await loadConfig(context);
  const { text, file } = await readManifest(context, paths, options);
  const out =
    options.out === undefined ? join(paths.generatedFiles, 'ROI_manifest_selected.json') : resolve(cwd, options.out);
  try {
    const selected = selectRois(text, patterns);
    const kept = await writeRoiManifest(out, selected.text, paths.backup);
    output.line(`${out}: ${selected.kept} of the ${selected.of} regions of ${file}`);
    if (kept !== null) output.line(`${kept}: the ROI manifest that was there`);
  } catch (error) {
    if (!(error instanceof CalibrationError)) throw error;
    throw new ExitError(exitCodes.failed, `${file}: ${error.message}`, { cause: error });
  }
  return exitCodes.done;
}

async function readManifest(
  { cwd }: CommandContext,
  paths: ResolvedPaths,
  { rois }: RoisOptions,
): Promise<{ text: string; file: string; manifest: RoiManifest }> {
  const file = rois === undefined ? paths.roiManifest : resolve(cwd, rois);
  const read = await readFileText(file);
  if (read.kind === 'missing')
    throw new ExitError(
      exitCodes.usage,
      `${file} is not there: make one with "phorest locate", or name one with --rois`,
    );
  if (read.kind === 'unreadable') throw new ExitError(exitCodes.usage, `${file} ${read.reason}`);
  try {
    return { text: read.text, file, manifest: parseRoiManifest(read.text, file) };
  } catch (error) {
    throw new ExitError(exitCodes.usage, (error as Error).message, { cause: error });
  }
}
