import { basename, join, relative, sep } from 'node:path';
import { parse } from 'smol-toml';
import { isRoiManifest } from '../../analysis/parseRoiManifest.ts';
import type { ResolvedPaths } from '../../config/resolvePaths.ts';
import { withoutSecrets } from '../../config/secrets.ts';
import { throughOwnLink } from '../../files/confinedFiles.ts';
import type { FileStat, Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import { archiveFolder } from '../../manifest/archive.ts';
import { markerName } from '../../share/shareMarker.ts';
import { safeName } from '../../share/sharePath.ts';

/** A file or folder of this machine, and where its copy goes: relative to the share's root, with `/`. */
export interface SyncPlace {
  local: string;
  remote: string;
  /** Where a configuration is written without its secrets: this goes to the share instead. */
  publicCopy?: string;
  /** What may be copied where the file is a link; absent: anything. */
  mayLeadTo?: (text: string) => boolean;
}

/**
 * What is copied to the share besides images, the most wanted first: the manifest, the configuration, the calibration (ROI manifest),
 * results, backup, logs, the manifest's archive. Folders keep their name, as FORMATS has it.
 * @param configFile absolute; null when the shipped defaults are used.
 */
export function syncPlaces(paths: ResolvedPaths, configFile: string | null): SyncPlace[] {
  const { remote, data, manifestFile, generatedFiles, roiManifest, results, backup, logs, flags } = paths;
  const archive = archiveFolder(manifestFile);
  const besideImages = (path: string): string => `${safeName(basename(data))}/${basename(path)}`;
  const onShare = (folder: string): string => relative(remote.root, folder).split(sep).join('/');
  const calibration = basename(generatedFiles);
  const places: SyncPlace[] = [{ local: manifestFile, remote: besideImages(manifestFile) }];
  if (configFile !== null) {
    const publicCopy = join(flags, 'config_without_secrets.toml');
    places.push({ local: configFile, remote: `configs/${basename(configFile)}`, publicCopy });
  }
  // One that is used from beside the configuration.
  if (!roiManifest.startsWith(`${generatedFiles}${sep}`)) {
    const remote = `${calibration}/${basename(roiManifest)}`;
    places.push({ local: roiManifest, remote, mayLeadTo: isRoiManifest });
  }
  return [
    ...places,
    { local: generatedFiles, remote: calibration },
    { local: results, remote: onShare(remote.results) },
    { local: backup, remote: onShare(remote.backup) },
    { local: logs, remote: onShare(remote.logs) },
    { local: archive, remote: besideImages(archive) },
  ];
}

/**
 * How a file comes to the share. `grown`: appended to here, so what is new is appended there · `fixed`: never changed
 * once it is there · `replaced`: written anew as a whole.
 */
export type SyncKind = 'grown' | 'fixed' | 'replaced';

export interface SyncFile extends Pick<SyncPlace, 'local' | 'remote'> {
  kind: SyncKind;
  stat: FileStat;
}

/** Being written, a lock, a mark for this machine alone, or made again from other files whenever it is missing. */
const passedOver = /^\.|\.tmp$|\.part$|\.lock$|\.lock-owner\.json$|^series$|\.syncer\.\d+$/;
const grown = /\.(jsonl|csv|log)$/;
const fixed = /\.(gz|zst)$/;

/** Folders in folders are followed so deep. */
const deepest = 4;

/** What is there. */
export interface FoundFiles {
  /** In the order of the places; those of a folder by name. */
  found: SyncFile[];
  /** Paths on the share of those that were not looked at. */
  notLookedAt: string[];
}

/** @param isSettled whether a file that never changes need not be looked at, by its path on the share */
export async function syncFiles(
  places: readonly SyncPlace[],
  files: Files,
  isSettled: (remote: string) => boolean = () => false,
): Promise<FoundFiles> {
  const all: FoundFiles = { found: [], notLookedAt: [] };
  // A folder that holds the configuration must not take it along as it is.
  const secret = new Set(places.flatMap(({ local, publicCopy }) => (publicCopy === undefined ? [] : [local])));
  const isPassedOver = (folder: string, name: string): boolean =>
    passedOver.test(name) || secret.has(join(folder, name));

  const collect = async (local: string, remote: string, depth: number): Promise<void> => {
    const name = basename(remote);
    if (fixed.test(name) && isSettled(remote)) {
      all.notLookedAt.push(remote);
      return;
    }
    const stat = await files.stat(local);
    if (!stat) return;
    // A link in a folder is not followed: copying it fails, and says so.
    if (!stat.isFolder || (stat.strange && depth < deepest)) {
      const kind = grown.test(name) ? 'grown' : fixed.test(name) ? 'fixed' : 'replaced';
      all.found.push({ local, remote, stat, kind });
      return;
    }
    if (depth === 0) return;
    const names = await files.list(local);
    // The share itself, in a folder that is copied to it: it would grow without end.
    if (names.includes(markerName)) return;
    for (const inside of names.sort()) {
      if (!isPassedOver(local, inside)) await collect(join(local, inside), `${remote}/${safeName(inside)}`, depth - 1);
    }
  };

  for (const { local, remote, publicCopy, mayLeadTo } of places) {
    if (publicCopy !== undefined) await writePublicCopy(await throughOwnLink(files, local), publicCopy, files);
    const from = publicCopy ?? (await throughOwnLink(files, local));
    if (mayLeadTo && from !== local && !mayLeadTo(String(await readBytes(files, from)))) continue;
    await collect(from, remote, deepest);
  }
  return all;
}

/** A file that is no TOML (it is being edited) changes nothing: the copy stays as it was. */
async function writePublicCopy(file: string, copy: string, files: Files): Promise<void> {
  const stat = await files.stat(file);
  if (!stat || stat.strange) return;
  const text = (await readBytes(files, file)).toString();
  try {
    parse(text);
  } catch {
    return;
  }
  const bytes = Buffer.from(withoutSecrets(text));
  const there = await files.stat(copy);
  if (there && !there.strange && bytes.equals(await readBytes(files, copy))) return;
  await writeAtomic(files, copy, bytes, { ...(stat.mode !== undefined && { mode: stat.mode }) });
}
