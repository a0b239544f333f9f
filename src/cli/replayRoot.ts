import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { defaultConfigFile } from '../config/configFile.ts';
import { exampleToml, type TomlValues } from '../config/exampleToml.ts';
import { mistake } from '../config/kinds/path.ts';
import { contains } from '../config/pathProblems.ts';
import { withoutSecrets } from '../config/secrets.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import type { AnalysisMethod, Estimator } from '../model/method.ts';
import { oneLine } from '../model/shownText.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { type LoadedConfig, loadConfig } from './loadConfig.ts';
import { refuseUnusable } from './refuseUnusable.ts';

export interface ReplayRootOptions {
  /** Folder of images, absolute. */
  folder: string;
  /** Folder of the replay, absolute. */
  root: string;
  rois?: string;
  method?: AnalysisMethod;
  estimator?: Estimator;
}

/**
 * Makes the folder of a replay a complete root of its own: configuration and ROI manifest inside, so that every command
 * works on it with `--root`. One that is there already is continued with the configuration that it holds.
 *
 * Resolves with the ROI manifest's path too, as it was given.
 *
 * @throws ExitError `usage` when there is no ROI manifest, or it is broken, or the replay there is of another kind.
 */
export async function replayRoot(
  context: CommandContext,
  { folder, root, rois, method, estimator }: ReplayRootOptions,
): Promise<LoadedConfig & { roiManifestFile: string }> {
  if (contains(folder, root)) {
    throw new ExitError(
      exitCodes.usage,
      `${root} lies in the folder of images ${folder}, in which nothing is written: choose another one with --out`,
    );
  }
  const wrong = mistake(root);
  if (wrong !== null) throw new ExitError(exitCodes.usage, `the folder of the replay is ${root}: ${wrong}`);
  const inRoot = { ...context, config: undefined, root };
  const base = await loadConfig(context);
  const inside = join(root, defaultConfigFile);
  const before = existsSync(inside) ? await loadConfig(inRoot) : null;
  if (before) {
    if (before.config.Camera.camera_type !== 'file_importer') {
      throw new ExitError(
        exitCodes.usage,
        `${root} holds an experiment that is no replay: choose another folder with --out`,
      );
    }
    refuseOther(before, root, 'method', method);
    refuseOther(before, root, 'estimator', estimator);
  }
  // All that can be wrong is looked at before anything is made.
  const file = roiManifestFor(context.cwd, rois, before, base, folder);
  const text = await roiManifestText(file);
  await refuseUnusable([root]);
  if (!before) {
    // What is secret stays where it is: a run in this folder must not page anybody.
    const values = base.text === null ? {} : (parse(withoutSecrets(base.text)) as TomlValues);
    const origin = `Made by the replay of ${oneLine(folder)}`;
    const config = exampleToml(replayValues(values, root, method, estimator), origin);
    await makeFolder(nodeFiles, join(root, 'configs'));
    await writeAtomic(nodeFiles, inside, config);
  }
  const { paths } = await loadConfig(inRoot);
  if (file !== paths.newRoiManifest) {
    await makeFolder(nodeFiles, paths.generatedFiles);
    await writeAtomic(nodeFiles, paths.newRoiManifest, text);
  }
  return { ...(await loadConfig(inRoot)), roiManifestFile: file };
}

async function roiManifestText(file: string): Promise<string> {
  const read = await readFileText(file);
  if (read.kind !== 'text') {
    throw new ExitError(exitCodes.usage, `${file} ${read.kind === 'missing' ? 'is not there' : read.reason}`);
  }
  try {
    parseRoiManifest(read.text, file);
  } catch (error) {
    throw new ExitError(exitCodes.usage, (error as Error).message, { cause: error });
  }
  return read.text;
}

/** The given configuration, for a folder of its own whose images come from elsewhere. */
function replayValues(
  given: TomlValues,
  root: string,
  method: AnalysisMethod | undefined,
  estimator: Estimator | undefined,
): TomlValues {
  const { remote_root_dir: remote } = given.Paths ?? {};
  return {
    ...given,
    Paths: { root_dir: root, ...(remote === undefined ? {} : { remote_root_dir: remote }) },
    Services: { enable_camera: false },
    Camera: { ...given.Camera, camera_type: 'file_importer', camera_transform: 'NONE' },
    Data_Analysis: { ...given.Data_Analysis, ...(method && { method }), ...(estimator && { estimator }) },
  };
}

function refuseOther(
  { config }: LoadedConfig,
  root: string,
  key: 'method' | 'estimator',
  asked: string | undefined,
): void {
  const held = config.Data_Analysis[key];
  if (asked === undefined || asked === held) return;
  throw new ExitError(
    exitCodes.usage,
    `${root} holds a replay with ${key} ${held}; choose another folder with --out for ${key} ${asked}`,
  );
}

/** `--rois`, else the one that the replay holds already, else the configuration's, else one beside the images. */
function roiManifestFor(
  cwd: string,
  rois: string | undefined,
  before: LoadedConfig | null,
  base: LoadedConfig,
  folder: string,
): string {
  if (rois !== undefined) return resolve(cwd, rois);
  const name = basename(base.paths.roiManifest);
  const places = [
    ...(before ? [before.paths.newRoiManifest] : []),
    base.paths.roiManifest,
    join(folder, name),
    join(folder, '..', name),
    join(folder, '..', 'generated_files', name),
    // Of a day's folder in the data of an experiment.
    join(folder, '..', '..', 'generated_files', name),
  ];
  const found = places.find(place => existsSync(place));
  if (found) return found;
  throw new ExitError(
    exitCodes.usage,
    `there is no ROI manifest: give one with --rois (looked for ${places.join(', ')})`,
  );
}
