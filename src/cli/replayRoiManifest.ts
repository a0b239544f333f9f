import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import type { RoiManifestOrigin } from '../streams/folder/replaySchema.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import type { LoadedConfig } from './loadConfig.ts';

export interface RoiManifestChoice {
  /** `--rois` */
  rois: string | undefined;
  /** The configuration that the command line chooses. */
  base: LoadedConfig;
  /** Folder of images, and the folders in it that hold them. */
  images: { folder: string; folders: readonly string[] };
  /** The replay that is gone on with. */
  held: { file: string; origin: RoiManifestOrigin | undefined } | null;
}

export interface ChosenRoiManifest {
  /** Where it is read from now. */
  file: string;
  text: string;
  /** Where the replay has it from, now or when it was begun. */
  origin: RoiManifestOrigin;
}

/**
 * The ROI manifest of a replay: `--rois`, else the one that the replay holds already, else one beside the images (also that of the experiment whose
 * images they are), else that of a configuration that somebody has named, else that of the default configuration.
 *
 * @throws ExitError `usage` when there is none, when it is broken, and when folders of images have different ones.
 */
export async function replayRoiManifest(
  context: Pick<CommandContext, 'cwd' | 'root'>,
  choice: RoiManifestChoice,
): Promise<ChosenRoiManifest> {
  const { rois, base, held } = choice;
  if (rois !== undefined) return chosen(resolve(context.cwd, rois), 'given with --rois');
  if (held && existsSync(held.file)) return chosen(held.file, 'of this replay', held.origin);
  const { within, around } = placesBeside(choice);
  const inside = await Promise.all(within.filter(place => existsSync(place)).map(readManifest));
  const other = inside.find(({ text }) => text !== inside[0]!.text);
  if (other) {
    throw new ExitError(
      exitCodes.usage,
      `${inside[0]!.file} and ${other.file} differ, and a replay has one ROI manifest: name it with --rois, or replay one folder at a time`,
    );
  }
  const beside = inside[0]?.file ?? around.find(place => existsSync(place));
  if (beside !== undefined) return chosen(beside, 'beside the images');
  const { roiManifest } = base.paths;
  if (existsSync(roiManifest)) {
    const isNamed = base.chosen.required || context.root !== undefined;
    return chosen(
      roiManifest,
      isNamed
        ? `of the configuration ${base.chosen.shown}`
        : `of the default configuration ${base.chosen.shown}, since none is beside the images`,
    );
  }
  const places = [...within, ...around, roiManifest];
  throw new ExitError(
    exitCodes.usage,
    `there is no ROI manifest: give one with --rois (looked for ${places.join(', ')})`,
  );
}

/** What a person is told of it. */
export function roiManifestWords({ file, origin }: ChosenRoiManifest): string {
  if (file === origin.file) return `ROI manifest: ${file} (${origin.found})`;
  return `ROI manifest: ${file}, which this replay has from ${origin.file} (${origin.found})`;
}

/** It may be that of another chip. */
export const isUncertain = ({ file, origin }: ChosenRoiManifest): boolean =>
  file === origin.file && origin.found.startsWith('of the default');

function placesBeside({ base, images: { folder, folders } }: RoiManifestChoice): {
  within: string[];
  around: string[];
} {
  const names = [...new Set([basename(base.paths.roiManifest), 'ROI_manifest.json'])];
  const inEach = (places: readonly string[]): string[] => [
    ...new Set(places.flatMap(place => names.map(name => join(place, name)))),
  ];
  return {
    within: inEach([folder, ...folders]),
    around: inEach([
      join(folder, '..'),
      join(folder, '..', 'generated_files'),
      // Of a day's folder in the data of an experiment.
      join(folder, '..', '..', 'generated_files'),
    ]),
  };
}

async function chosen(file: string, found: string, origin?: RoiManifestOrigin): Promise<ChosenRoiManifest> {
  return { ...(await readManifest(file)), origin: origin ?? { file, found } };
}

async function readManifest(file: string): Promise<{ file: string; text: string }> {
  const read = await readFileText(file);
  if (read.kind !== 'text') {
    throw new ExitError(exitCodes.usage, `${file} ${read.kind === 'missing' ? 'is not there' : read.reason}`);
  }
  try {
    parseRoiManifest(read.text, file);
  } catch (error) {
    throw new ExitError(exitCodes.usage, (error as Error).message, { cause: error });
  }
  return { file, text: read.text };
}
