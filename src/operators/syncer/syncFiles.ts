import { basename, join } from 'node:path';
import { parse } from 'smol-toml';
import { withoutSecrets } from '../../config/secrets.ts';
import { throughOwnLink } from '../../files/confinedFiles.ts';
import type { FileStat, Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
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
 * How a file comes to the share. `grown`: appended to here, so what is new is appended there · `fixed`: never changed
 * once it is there · `replaced`: written anew as a whole.
 */
export type SyncKind = 'grown' | 'fixed' | 'replaced';

export interface SyncFile extends SyncPlace {
  kind: SyncKind;
  stat: FileStat;
}

/** Being written, a lock, or made again from other files whenever it is missing. */
const passedOver = /^\.|\.tmp$|\.part$|\.lock$|\.lock-owner\.json$|^plot_series\.bin$/;
const grown = /\.(jsonl|csv|log)$/;
const fixed = /\.(gz|zst)$/;

/** Folders in folders are followed so deep. */
const deepest = 4;

/** What is there. */
export interface FoundFiles {
  /** In the order of the places; those of a folder by name. */
  found: SyncFile[];
  /** Paths on the share of those that were not looked at. */
  unlooked: string[];
}

/** @param isSettled whether a file that never changes need not be looked at, by its path on the share */
export async function syncFiles(
  places: readonly SyncPlace[],
  files: Files,
  isSettled: (remote: string) => boolean = () => false,
): Promise<FoundFiles> {
  const all: FoundFiles = { found: [], unlooked: [] };
  // A folder that holds the configuration must not take it along as it is.
  const secret = new Set(places.flatMap(({ local, publicCopy }) => (publicCopy === undefined ? [] : [local])));
  const isOpen = (path: string): boolean => !secret.has(path);
  for (const { local, remote, publicCopy, mayLeadTo } of places) {
    if (publicCopy !== undefined) await writePublicCopy(await throughOwnLink(files, local), publicCopy, files);
    const from = publicCopy ?? (await throughOwnLink(files, local));
    if (mayLeadTo && from !== local && !mayLeadTo(String(await readBytes(files, from)))) continue;
    await collect({ local: from, remote }, files, isSettled, isOpen, all, deepest);
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

async function collect(
  { local, remote }: SyncPlace,
  files: Files,
  isSettled: (remote: string) => boolean,
  isOpen: (path: string) => boolean,
  all: FoundFiles,
  depth: number,
): Promise<void> {
  const name = basename(remote);
  if (fixed.test(name) && isSettled(remote)) {
    all.unlooked.push(remote);
    return;
  }
  const stat = await files.stat(local);
  if (!stat) return;
  // A link in a folder is not followed: copying it fails, and says so.
  if (!stat.isFolder || (stat.strange && depth < deepest)) {
    all.found.push({ local, remote, stat, kind: grown.test(name) ? 'grown' : fixed.test(name) ? 'fixed' : 'replaced' });
    return;
  }
  if (depth === 0) return;
  const names = await files.list(local);
  // The share itself, in a folder that is copied to it: it would grow without end.
  if (names.includes(markerName)) return;
  for (const inside of names.sort()) {
    if (passedOver.test(inside) || !isOpen(join(local, inside))) continue;
    const place = { local: join(local, inside), remote: `${remote}/${safeName(inside)}` };
    await collect(place, files, isSettled, isOpen, all, depth - 1);
  }
}
