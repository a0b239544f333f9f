import { join, resolve } from 'node:path';
import { CalibrationError } from '../calibration/calibrationError.ts';
import { labelDrawing, matchDrawing, roiDrawing } from '../calibration/calibrationPictures.ts';
import { calculatedFeatures, calibrationLines, toldLabels } from '../calibration/calibrationReport.ts';
import { type Chip, chipOfType, isLocatable } from '../calibration/chipMap.ts';
import { type ChipChoice, findChip } from '../calibration/findChip.ts';
import { templatePaths } from '../calibration/labelTemplate.ts';
import { type Calibration, locateChip } from '../calibration/locateChip.ts';
import { type LabelTemplate, matchPictures } from '../calibration/matchLabel.ts';
import { openCv } from '../calibration/openCv.ts';
import { roiManifestText } from '../calibration/roiManifestText.ts';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { encodePng } from '../image/encodeImage.ts';
import { systemClock } from '../model/clock.ts';
import type { Pixels } from '../model/frame.ts';
import { audit } from '../sinks/audit/audit.ts';
import { drawSvg } from '../sinks/drawing/drawProcess.ts';
import {
  backgroundOf,
  pngUrl,
  type Reference,
  readChipMap,
  readFeatureLocations,
  readReference,
  readTemplates,
  usable,
} from './calibrationFiles.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadConfig } from './loadConfig.ts';
import { pickLabels } from './pickLabels.ts';
import { writeRoiManifest } from './writeRoiManifest.ts';

/** `locate`. */
export interface LocateOptions {
  /** File, instead of the configured one. */
  image?: string;
  /** Without rough positions. */
  auto?: boolean;
  /** Its type; with `auto`. */
  chip?: string;
  /** In a browser page, at this port. */
  pick?: boolean;
  port: number;
}

/** Runs the command `locate`; see {@link LocateOptions}. */
export async function locateGratings(context: CommandContext, options: LocateOptions): Promise<number> {
  const { output, cwd } = context;
  const { paths, config } = await loadConfig(context);
  if (options.chip !== undefined && !options.auto)
    throw new ExitError(exitCodes.usage, '--chip goes with --auto; else Feature_locations.toml says which chip it is');
  if (options.auto && options.pick) throw new ExitError(exitCodes.usage, '--auto and --pick are two ways: choose one');
  const file = options.image === undefined ? paths.roiGenerationImage : resolve(cwd, options.image);
  if (options.pick) {
    const { choices } = await byItself(paths, options);
    const reference = await readReference(file);
    // Where it counts, and never that which came with the program.
    const positions = resolve(paths.root, config.Assets.feature_locations_config);
    const calibration = await pickLabels(reference, choices, positions, options.port, output);
    if (typeof calibration === 'number') return calibration;
    const templates = choices.find(({ chip }) => chip === calibration.chip)!.templates;
    return finish(calibration, reference, templates, 'pick', paths, context);
  }
  const { locate, templates } = options.auto ? await byItself(paths, options) : await byPositions(paths);
  const reference = await readReference(file);
  const calibration = await locate(reference.pixels).catch((error: unknown) => {
    if (!(error instanceof CalibrationError)) throw error;
    const message = `${reference.file}: ${error.message}${error.message.endsWith('?') ? '' : '.'} Nothing was written`;
    throw new ExitError(exitCodes.failed, message, { cause: error });
  });
  return finish(
    calibration,
    reference,
    templates(calibration.chip),
    options.auto ? 'auto' : 'positions',
    paths,
    context,
  );
}

/** Says what was found, writes it, and notes who did. */
async function finish(
  calibration: Calibration,
  reference: Reference,
  templates: readonly LabelTemplate[],
  by: 'positions' | 'auto' | 'pick',
  paths: ResolvedPaths,
  { output }: CommandContext,
): Promise<number> {
  for (const line of calibrationLines(calibration, reference)) output.line(line);
  for (const file of await writeAll(calibration, reference, templates, paths)) output.line(`written   ${file}`);
  const what = {
    command: 'locate',
    by,
    image: reference.file,
    image_hash: reference.hash,
    chip: calibration.chip.type,
    angle: calibration.pose.angle,
    rois: calibration.rois.length,
  };
  await audit(paths, systemClock.now(), what, message => output.error(message));
  return exitCodes.done;
}

/** How the chip is looked for. All that can be wrong with files is looked at before. */
interface Search {
  locate: (image: Pixels) => Promise<Calibration>;
  templates: (chip: Chip) => readonly LabelTemplate[];
}

async function byPositions(paths: ResolvedPaths): Promise<Search> {
  const chips = await readChipMap(paths);
  const { chipType, clicks } = await readFeatureLocations(paths);
  const chip = usable(() => chipOfType(chips, chipType, paths.chipMap));
  const templates = await readTemplates(chip, paths);
  refuseUnknown(clicks, chip, templates, paths);
  return { locate: image => locateChip(image, chip, clicks, templates), templates: () => templates };
}

async function byItself(
  paths: ResolvedPaths,
  { chip: type }: LocateOptions,
): Promise<Search & { choices: readonly ChipChoice[] }> {
  const all = await readChipMap(paths);
  const chips = type === undefined ? all.filter(isLocatable) : [usable(() => chipOfType(all, type, paths.chipMap))];
  if (chips.length === 0)
    throw new ExitError(exitCodes.usage, `${paths.chipMap}: no chip in it has both labels and gratings`);
  const choices = await Promise.all(chips.map(async chip => ({ chip, templates: await readTemplates(chip, paths) })));
  return {
    choices,
    locate: image => findChip(image, choices),
    templates: chip => choices.find(choice => choice.chip === chip)!.templates,
  };
}

/** @throws ExitError that says which of the labels that were given can't be looked for, and why */
function refuseUnknown(
  clicks: readonly { label: string }[],
  chip: Chip,
  templates: readonly LabelTemplate[],
  { featureLocations, chipMap, labelTemplates }: ResolvedPaths,
): void {
  for (const { label } of clicks) {
    if (!chip.labels.some(one => one.label === label))
      throw new ExitError(
        exitCodes.usage,
        `${featureLocations}: features: there is no label "${label}" in ${chipMap}; there are ${chip.labels.map(one => one.label).join(', ')}`,
      );
    if (!templates.some(template => template.label.label === label))
      throw new ExitError(
        exitCodes.usage,
        `${labelTemplates}: there is no picture of the label "${label}": put it there as ${templatePaths(chip.type, label).join(' or ')}`,
      );
  }
}

/** Writes pictures and report, and the ROI manifest last: it is what a run waits for. Returns the paths. */
async function writeAll(
  calibration: Calibration,
  reference: Reference,
  templates: readonly LabelTemplate[],
  { generatedFiles, newRoiManifest, backup }: ResolvedPaths,
): Promise<string[]> {
  const background = await backgroundOf(reference.pixels);
  const { pose, rois } = calibration;
  const matches = await matchRows(calibration, reference.pixels, templates);
  const drawings = [
    labelDrawing(calibration, background),
    roiDrawing(rois, pose.angle, background),
    matchDrawing(matches),
  ];
  const [labelPicture, roiPicture, matchPicture] = await Promise.all(drawings.map(svg => drawSvg(svg)));
  const files: [path: string, content: string | Uint8Array][] = [
    [join(generatedFiles, 'Label_locations.png'), labelPicture],
    [join(generatedFiles, 'Grating_locations.png'), roiPicture],
    [join(generatedFiles, 'Label_matches.png'), matchPicture],
    [join(generatedFiles, 'CalculatedImageFeatures.json'), calculatedFeatures(calibration, reference)],
  ];
  await makeFolder(nodeFiles, generatedFiles);
  for (const [path, content] of files) await writeAtomic(nodeFiles, path, content);
  const kept = await writeRoiManifest(newRoiManifest, roiManifestText(calibration, reference), backup);
  const written = [...files.map(([path]) => path), newRoiManifest];
  return kept === null ? written : [...written, `${kept} (the ROI manifest that was there)`];
}

async function matchRows(
  calibration: Calibration,
  image: Pixels,
  templates: readonly LabelTemplate[],
): Promise<{ words: string; urls: string[] }[]> {
  const cv = await openCv();
  const rows: { words: string; urls: string[] }[] = [];
  for (const { label, quality, centre, click } of toldLabels(calibration)) {
    const template = templates.find(one => one.label.label === label);
    const at = centre ?? click;
    if (template === undefined || at === null) continue;
    const pictures = matchPictures(cv, image, template, calibration.pose, at);
    const urls = await Promise.all(pictures.map(async one => pngUrl(await encodePng(one))));
    rows.push({ words: `${label}: likeness ${quality.toFixed(2)}${centre === null ? ', not found' : ''}`, urls });
  }
  return rows;
}
