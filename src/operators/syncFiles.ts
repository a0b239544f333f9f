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

/** The files that are there, in the order of the places; those of a folder by name. */
export async function syncFiles(places: readonly SyncPlace[], files: Files): Promise<SyncFile[]> {
  const found: SyncFile[] = [];
  for (const place of places) await collect(place, files, found, deepest);
  return found;
}

async function collect({ local, remote }: SyncPlace, files: Files, found: SyncFile[], depth: number): Promise<void> {
  const name = basename(local);
  const stat = await files.stat(local);
  if (!stat) return;
  if (!stat.isFolder) {
    found.push({ local, remote, stat, kind: grown.test(name) ? 'grown' : fixed.test(name) ? 'fixed' : 'replaced' });
    return;
  }
  if (depth === 0) return;
  const names = await files.list(local);
  // The share itself, in a folder that is copied to it: it would grow without end.
  if (names.includes(markerName)) return;
  for (const inside of names.sort()) {
    if (passedOver.test(inside)) continue;
    await collect({ local: join(local, inside), remote: `${remote}/${safeName(inside)}` }, files, found, depth - 1);
  }
}
