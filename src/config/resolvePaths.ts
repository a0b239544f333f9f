import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Config } from './schema.ts';

/** The folders of an experiment, here or on the share. */
export interface ExperimentFolders {
  /** That holds the others. */
  readonly root: string;
  readonly data: string;
  readonly results: string;
  readonly logs: string;
  readonly backup: string;
  readonly continuousCapture: string;
  readonly brightfield: string;
}

/** Where everything is; all absolute. */
export interface ResolvedPaths extends ExperimentFolders {
  readonly flags: string;
  /** Folder that another program saves its images in. */
  readonly watched: string;
  /** Folder of each process's own status. */
  readonly status: string;
  /** Status of the whole pipeline. */
  readonly pipelineStatusFile: string;
  /** What a person wants of the running pipeline. */
  readonly controlFile: string;
  readonly manifestFile: string;
  readonly resultsFile: string;
  readonly csvFile: string;
  readonly plotFile: string;
  /** Folder that calibration, or the simulated camera, writes to. Always the one in the root, wherever `roiManifest` was found. */
  readonly generatedFiles: string;
  /** The ROI manifest that counts: the one in `generatedFiles`, or the one beside the configuration when only that is there. */
  readonly roiManifest: string;
  /** Where a new ROI manifest is written; from then on it is the one that counts. */
  readonly newRoiManifest: string;
  readonly roiGenerationImage: string;
  readonly featureLocations: string;
  /** Folder of label templates. */
  readonly labelTemplates: string;
  readonly chipMap: string;
  readonly remote: ExperimentFolders;
}

/** The folders that the configuration names and the program writes to: they may be links, and nothing below them is. */
export function ownFolders({
  data,
  results,
  logs,
  backup,
  brightfield,
  flags,
  generatedFiles,
}: ResolvedPaths): string[] {
  return [data, results, logs, backup, brightfield, flags, generatedFiles];
}

export interface PathSurroundings {
  /** Working directory, absolute. */
  readonly cwd: string;
  /** The configuration, or where it would be; relative to `cwd`, or absolute. */
  readonly configFile: string;
  /** Whether something is at a path: assets are looked for in three places. */
  readonly exists: (path: string) => boolean;
  /** Stands for `root_dir` (`--root`). */
  readonly root?: string | undefined;
}

/**
 * Works out where everything is. Folders are relative to `root_dir`, which is relative to the working directory; assets are
 * tried under the root, then beside the folder that holds the configuration, then in that folder. What is in none of these is said to be in the root.
 */
export function resolvePaths(
  config: Config,
  { cwd, configFile, exists, root: given }: PathSurroundings,
): ResolvedPaths {
  const { Paths, Assets, Flags } = config;
  const root = resolve(cwd, given ?? Paths.root_dir);
  const configFolder = dirname(resolve(cwd, configFile));
  const inRoot = (path: string): string => resolve(root, path);
  const asset = (...parts: [string, ...string[]]): string => {
    const path = join(...parts);
    const places = [root, dirname(configFolder), configFolder].map(place => resolve(place, path));
    return places.find(exists) ?? inRoot(path);
  };

  const data = inRoot(Paths.data_dir);
  const results = inRoot(Paths.results_dir);
  const logs = inRoot(Paths.logs_dir);
  const backup = inRoot(Paths.backup_dir);
  const continuousCapture = inRoot(Paths.continuous_capture_dir);
  const brightfield = inRoot(Paths.brightfield_dir);
  const flags = inRoot(Flags.flag_dir);
  const generatedFiles = inRoot(Assets.generated_files_dir);
  const remoteRoot = resolve(cwd, Paths.remote_root_dir);
  const onShare = (folder: string): string => join(remoteRoot, basename(folder));
  const roiName = Paths.roi_manifest_filename;

  return {
    root,
    data,
    results,
    logs,
    backup,
    continuousCapture,
    brightfield,
    flags,
    watched: inRoot(config.Watch_Folder.folder),
    status: join(flags, 'status'),
    pipelineStatusFile: join(flags, 'pipeline_status.json'),
    controlFile: join(flags, 'control.json'),
    manifestFile: join(data, 'metadata_manifest.json'),
    resultsFile: join(results, 'processing_results.jsonl'),
    csvFile: join(results, 'communicating_results.csv'),
    plotFile: join(results, 'processed_data_plot.png'),
    generatedFiles,
    roiManifest: isAbsolute(roiName) ? roiName : asset(Assets.generated_files_dir, roiName),
    newRoiManifest: resolve(generatedFiles, roiName),
    roiGenerationImage: asset(Assets.roi_generation_image),
    featureLocations: asset(Assets.feature_locations_config),
    labelTemplates: asset(Assets.label_template_dir),
    chipMap: asset(Assets.label_template_dir, 'Chip_map.json'),
    remote: {
      root: remoteRoot,
      data: onShare(data),
      results: onShare(results),
      logs: onShare(logs),
      backup: onShare(backup),
      continuousCapture: onShare(continuousCapture),
      brightfield: onShare(brightfield),
    },
  };
}
