import type { Hash } from 'node:crypto';
import { dirname } from 'node:path';
import { makeFolder, syncGrown } from '../files/durableNames.ts';
import { type FileStat, type Files, type OpenFile, StrangeFileError } from '../files/files.ts';
import { readRange } from '../files/readBytes.ts';
import { wrapFiles, wrapOpenFile } from '../files/wrapFiles.ts';
import { writeFully } from '../files/writeAtomic.ts';
import type { Parts } from './parts.ts';
import { ShareError, type Side } from './shareError.ts';
import type { Throttle } from './throttle.ts';

/** What the calls to a share work with. */
export interface ShareTools {
  /** The share's folder, absolute. */
  root: string;
  /** The files of this machine; errors say so. */
  local: Files;
  /** The files of the share; errors say so. */
  share: Files;
  parts: Parts;
  throttle: Throttle;
  /** Milliseconds, monotonic. */
  now: () => number;
  /** The marker is the one that was found at first; else an error. Asked before anything is written. */
  checkMounted: () => Promise<void>;
}

/** Tells that a call goes on. */
export type Tell = () => void;

/** Unwritten data grows with what the share takes in this time, ms: a slow one shows progress all the same. */
const quickSyncMs = 1000;
const leastUnsynced = 1 << 18;
const mostUnsynced = 1 << 25;

/** The same files, whose errors say on which side they happened. */
export function sided(files: Files, side: Side): Files {
  const tag = (error: unknown): never => {
    if (side === 'share' && error instanceof StrangeFileError) {
      throw new ShareError(error.message, { code: 'ESHAREPATH', path: error.path, cause: error });
    }
    (error as { side?: Side }).side ??= side;
    throw error;
  };
  const tagged = <R>(run: () => Promise<R>): Promise<R> => run().catch(tag);
  return wrapFiles(
    files,
    (_call, run) => tagged(run),
    file => wrapOpenFile(file, tagged),
  );
}

/** Opens, works, and closes however that ends. */
export async function withOpen<T>(opening: Promise<OpenFile>, work: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await opening;
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** The folder of a path on the share, made where it was missing. */
export async function makeFolderOf(path: string, { share }: ShareTools): Promise<void> {
  const folder = dirname(path);
  await makeFolder(share, folder);
}

/** An empty file: what a power cut on vfat leaves of one that was being put there. It has nothing to lose. */
export const isVoid = ({ size, isFolder, strange }: FileStat): boolean => size === 0 && !isFolder && !strange;

/**
 * What stands under the name of a copy that was just put there.
 * @param size that it must have; null: any. @throws ShareError when it is gone, or something else.
 */
export async function checkPlaced(path: string, size: number | null, { share }: ShareTools): Promise<FileStat> {
  const placed = await share.stat(path);
  if (!placed) throw new ShareError(`${path} is gone right after it was put there`, { code: 'ENOENT', path });
  if (!placed.isFolder && !placed.strange && (size === null || placed.size === size)) return placed;
  throw new ShareError(`${path} is not what was just put there: something else on the share has taken its name`, {
    code: 'ESHAREDAMAGED',
    path,
  });
}

/** Reads bytes `from` to `to`, a piece at a time; `take` may keep none of them. A file that ends early just ends. */
export async function readPieces(
  file: OpenFile,
  from: number,
  to: number,
  tools: ShareTools,
  tell: Tell,
  take: (piece: Buffer, position: number) => void,
): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(Math.min(tools.throttle.chunkBytes, Math.max(1, to - from)));
  for (let position = from; position < to; ) {
    const length = await file.read(piece.subarray(0, Math.min(piece.length, to - position)), position);
    if (length === 0) return;
    take(piece.subarray(0, length), position);
    position += length;
    tell();
  }
}

/** The same from the share, within the limit. */
export async function readBack(
  file: OpenFile,
  from: number,
  to: number,
  tools: ShareTools,
  tell: Tell,
  take: (piece: Buffer, position: number) => void,
): Promise<void> {
  let owed = 0;
  const { chunkBytes } = tools.throttle;
  for (let position = from; position < to; position += owed) {
    const end = Math.min(to, position + chunkBytes);
    await tools.throttle.take(end - position, tell);
    owed = 0;
    await readPieces(file, position, end, tools, tell, (piece, at) => {
      owed += piece.length;
      take(piece, at);
    });
    if (owed === 0) return;
  }
}

/**
 * How far a file and its copy are the same, from `from` up to `to` or the end of the shorter one: the first position at
 * which they differ. `equal` is given what is the same, in order.
 */
export async function sameUpTo(
  local: OpenFile,
  copy: OpenFile,
  { from, to }: { from: number; to: number },
  tools: ShareTools,
  tell: Tell,
  equal: (bytes: Buffer, position: number) => void = () => undefined,
): Promise<number> {
  const { chunkBytes } = tools.throttle;
  for (let position = from; position < to; ) {
    const length = Math.min(chunkBytes, to - position);
    const ours = await readRange(local, position, position + length);
    await tools.throttle.take(length, tell);
    const theirs = await readRange(copy, position, position + length);
    const same = samePrefix(ours, theirs);
    if (same > 0) equal(ours.subarray(0, same), position);
    position += same;
    tell();
    if (same < length) return position;
  }
  return to;
}

function samePrefix(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  if (a.subarray(0, length).equals(b.subarray(0, length))) return length;
  let i = 0;
  while (a[i] === b[i]) i++;
  return i;
}

/**
 * Copies bytes `from` to `to` of a local file to the same place on the share, durably. What is not yet synced stays little
 * on a slow link, so that one fsync does not look like a hung share.
 */
export async function copyRange(
  local: OpenFile,
  copy: OpenFile,
  { from, to, path }: { from: number; to: number; path: string },
  tools: ShareTools,
  tell: Tell,
  copied: (piece: Buffer) => void,
): Promise<void> {
  const { throttle, now } = tools;
  const piece = Buffer.allocUnsafeSlow(Math.min(throttle.chunkBytes, Math.max(1, to - from)));
  let window = 1 << 20;
  let unsynced = 0;
  const sync = async (): Promise<void> => {
    const begun = now();
    await syncGrown(tools.share, path, copy);
    tell();
    window = now() - begun < quickSyncMs ? Math.min(mostUnsynced, window * 2) : Math.max(leastUnsynced, window / 2);
    unsynced = 0;
  };
  for (let position = from; position < to; ) {
    const length = await local.read(piece.subarray(0, Math.min(piece.length, to - position)), position);
    if (length === 0) {
      throw new ShareError(`${path}: the file became shorter while it was copied`, { side: 'local', code: 'ECHANGED' });
    }
    const part = piece.subarray(0, length);
    await throttle.take(length, tell);
    const at = position;
    await writeFully(data => copy.write(data, at), part, path);
    copied(part);
    position += length;
    unsynced += length;
    tell();
    if (unsynced >= window) await sync();
  }
  await sync();
}

/** The file on the share as its medium has it. */
export function openBack(path: string, { share }: ShareTools): Promise<OpenFile> {
  return share.openUncached ? share.openUncached(path) : share.open(path, 'r');
}

/** SHA-256 of all of a file on the share. */
export async function hashBack(path: string, hash: Hash, tools: ShareTools, tell: Tell): Promise<string> {
  await withOpen(openBack(path, tools), async file =>
    readBack(file, 0, await file.size(), tools, tell, piece => void hash.update(piece)),
  );
  return hash.digest('hex');
}

/** What was read back is not what was written. */
export function damaged(path: string): ShareError {
  return new ShareError(`${path}: the share gave back other bytes than were written to it; it is copied again`, {
    code: 'ESHAREDAMAGED',
    path,
  });
}
