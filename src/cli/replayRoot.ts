import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'smol-toml';
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
import type { ReplayRecord, ReplayRequest } from '../streams/folder/replaySchema.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { traceOfExperiment } from './experimentTraces.ts';
import { type LoadedConfig, loadConfig, loadRead, realFolder } from './loadConfig.ts';
import { refuseUnusable } from './refuseUnusable.ts';
import { readReplay, recordReplay } from './replayRecord.ts';
import { type ChosenRoiManifest, replayRoiManifest } from './replayRoiManifest.ts';
import { writeRoiManifest } from './writeRoiManifest.ts';

export interface ReplayRootOptions {
  /** Folder of images, absolute, and the folders in it that hold them. */
  images: { folder: string; folders: readonly string[] };
  /** Folder of the replay, absolute. */
  root: string;
  request: ReplayRequest;
  rois?: string;
  method?: AnalysisMethod;
  estimator?: Estimator;
}

/** The root of a replay, which nothing has been written to yet. */
export interface ReplayRoot extends LoadedConfig {
  roiManifest: ChosenRoiManifest;
  /**
   * Writes record, configuration and ROI manifest; once nobody else can run there. Resolves with what there is to tell.
   * @throws ExitError `usage` when an experiment was begun there meanwhile.
   */
  make(): Promise<string[]>;
}

/**
 * Makes the folder of a replay a complete root of its own: configuration and ROI manifest inside, so that every command
 * works on it with `--root`. One that is there already is continued with the configuration that it holds. Nothing is written before
 * {@link ReplayRoot.make}.
 *
 * @throws ExitError `usage` when there is no ROI manifest, or it is broken, or the folder holds anything that is not this replay.
 */
export async function replayRoot(
  context: CommandContext,
  { images, root, request, rois, method, estimator }: ReplayRootOptions,
): Promise<ReplayRoot> {
  const { folder } = images;
  if (contains(realFolder(folder), realFolder(root))) {
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
  const refuse = (record: ReplayRecord | null): void => refuseExperiment(inRoot, root, { record, base, folder });
  const record = await readReplay(root);
  refuse(record);
  const before = existsSync(inside) ? await loadConfig(inRoot) : null;
  if (before) {
    if (before.config.Camera.camera_type !== 'file_importer') throw noReplay(inRoot, root, inside, folder);
    refuseOther(before, root, 'method', method);
    refuseOther(before, root, 'estimator', estimator);
  }
  // All that can be wrong is looked at before anything is made.
  const held = before && { file: before.paths.newRoiManifest, origin: record?.roi_manifest };
  const roiManifest = await replayRoiManifest(context, { rois, base, images, held });
  await refuseUnusable([root]);
  // What is secret stays where it is: a run in this folder must not page anybody.
  const values = base.text === null ? {} : (parse(withoutSecrets(base.text)) as TomlValues);
  const origin = `Made by the replay of ${oneLine(folder)}`;
  const text = exampleToml(replayValues(values, root, method, estimator), origin);
  const chosen = { path: inside, shown: inside, required: true };
  const loaded = before ?? loadRead(inRoot, chosen, { kind: 'text', text });
  const make = async (): Promise<string[]> => {
    refuse(await readReplay(root));
    // First what says that this is a replay.
    await recordReplay(root, { request, finished: false, roi_manifest: roiManifest.origin });
    if (!before) {
      await makeFolder(nodeFiles, dirname(inside));
      await writeAtomic(nodeFiles, inside, text);
    }
    const { newRoiManifest, backup } = loaded.paths;
    const kept = await writeRoiManifest(newRoiManifest, roiManifest.text, backup);
    return kept === null ? [] : [`${newRoiManifest} was another ROI manifest: a copy is kept as ${kept}`];
  };
  return { ...loaded, paths: { ...loaded.paths, roiManifest: loaded.paths.newRoiManifest }, roiManifest, make };
}

/** @throws ExitError `usage` for a folder that holds an experiment with a camera, or a replay of other images */
function refuseExperiment(
  context: CommandContext,
  root: string,
  { record, base, folder }: { record: ReplayRecord | null; base: LoadedConfig; folder: string },
): void {
  if (record) {
    const [one, other] = [realFolder(record.request.folder), realFolder(folder)];
    if (contains(one, other) || contains(other, one)) return;
    throw new ExitError(
      exitCodes.usage,
      `${root} holds a replay of ${record.request.folder}: choose another folder with --out for the images of ${folder}`,
    );
  }
  const { data, results, flags } = base.paths;
  const isConfigured = realFolder(base.paths.root) === realFolder(root);
  const trace = traceOfExperiment(root, isConfigured ? [data, results, flags] : []);
  if (trace !== null) throw noReplay(context, root, trace, folder);
}

function noReplay(context: CommandContext, root: string, trace: string, folder: string): ExitError {
  const again = contains(realFolder(root), realFolder(folder))
    ? `; "${commandLine(context, 'requeue')}" analyses its own images anew in it`
    : '';
  return new ExitError(
    exitCodes.usage,
    `${root} holds an experiment that is no replay (${trace}), and nothing was changed in it: leave --out away, or choose another folder with it${again}`,
  );
}

/** The given configuration, for a folder of its own whose images come from elsewhere. */
function replayValues(
  given: TomlValues,
  root: string,
  method: AnalysisMethod | undefined,
  estimator: Estimator | undefined,
): TomlValues {
  const { remote_root_dir: remote } = given.Paths ?? {};
  // Nothing of the replay may lie in the folders of the experiment whose configuration this is.
  const { generated_files_dir: _generated, ...assets } = given.Assets ?? {};
  const { flag_dir: _flags, ...flags } = given.Flags ?? {};
  return {
    ...given,
    Paths: { root_dir: root, ...(remote === undefined ? {} : { remote_root_dir: remote }) },
    Services: { enable_camera: false },
    Camera: { ...given.Camera, camera_type: 'file_importer', camera_transform: 'NONE' },
    Data_Analysis: { ...given.Data_Analysis, ...(method && { method }), ...(estimator && { estimator }) },
    Assets: assets,
    Flags: flags,
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
