import { basename, join } from 'node:path';
import { markerName } from '../share/shareMarker.ts';
import { safeName } from '../share/sharePath.ts';
import type { FileStat, Files } from '../storage/files.ts';

/** A file or folder of this machine, and where its copy goes: relative to the share's root, with `/`. */
export interface SyncPlace {
  local: string;
  remote: string;
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
  for (const place of places) await collect(place, files, isSettled, all, deepest);
  return all;
}

async function collect(
  { local, remote }: SyncPlace,
  files: Files,
  isSettled: (remote: string) => boolean,
  all: FoundFiles,
  depth: number,
): Promise<void> {
  const name = basename(local);
  if (fixed.test(name) && isSettled(remote)) {
    all.unlooked.push(remote);
    return;
  }
  const stat = await files.stat(local);
  if (!stat) return;
  if (!stat.isFolder) {
    all.found.push({ local, remote, stat, kind: grown.test(name) ? 'grown' : fixed.test(name) ? 'fixed' : 'replaced' });
    return;
  }
  if (depth === 0) return;
  const names = await files.list(local);
  // The share itself, in a folder that is copied to it: it would grow without end.
  if (names.includes(markerName)) return;
  for (const inside of names.sort()) {
    if (passedOver.test(inside)) continue;
    const place = { local: join(local, inside), remote: `${remote}/${safeName(inside)}` };
    await collect(place, files, isSettled, all, depth - 1);
  }
}
