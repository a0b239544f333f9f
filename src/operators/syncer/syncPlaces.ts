import { basename, join, relative, sep } from 'node:path';
import { isRoiManifest } from '../../analysis/parseRoiManifest.ts';
import type { ResolvedPaths } from '../../config/resolvePaths.ts';
import type { SyncPlace } from './syncFiles.ts';

/**
 * What is copied to the share besides images, manifest and archive, the most wanted first: the configuration, the calibration
 * (ROI manifest), results, backup, logs. Folders keep their name, as FORMATS has it.
 * @param configFile absolute; null when the shipped defaults are used.
 */
export function syncPlaces(paths: ResolvedPaths, configFile: string | null): SyncPlace[] {
  const { remote, generatedFiles, roiManifest, results, backup, logs, flags } = paths;
  const onShare = (folder: string): string => relative(remote.root, folder).split(sep).join('/');
  const calibration = basename(generatedFiles);
  const places: SyncPlace[] = [
    { local: generatedFiles, remote: calibration },
    { local: results, remote: onShare(remote.results) },
    { local: backup, remote: onShare(remote.backup) },
    { local: logs, remote: onShare(remote.logs) },
  ];
  // One that is used from beside the configuration.
  if (!roiManifest.startsWith(`${generatedFiles}${sep}`)) {
    places.unshift({
      local: roiManifest,
      remote: `${calibration}/${basename(roiManifest)}`,
      mayLeadTo: isRoiManifest,
    });
  }
  if (configFile !== null) {
    const publicCopy = join(flags, 'config_without_secrets.toml');
    places.unshift({ local: configFile, remote: `configs/${basename(configFile)}`, publicCopy });
  }
  return places;
}
