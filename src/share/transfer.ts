import { createHash } from 'node:crypto';
import { syncGrown } from '../files/durableNames.ts';
import { type FileStat, type Files, type OpenFile, StrangeFileError } from '../files/files.ts';
import { readRange } from '../files/readBytes.ts';
import { wrapFiles, wrapOpenFile } from '../files/wrapFiles.ts';
import { writeFully } from '../files/writeAtomic.ts';
import type { Parts } from './parts.ts';
import type { Digest } from './shareCalls.ts';
import { ShareError, type Side } from './shareError.ts';
import type { Throttle } from './throttle.ts';

/** What one call to a share works with. */
export interface ShareTools {
  /** The share's folder, absolute. */
  root: string;
  /** The files of this machine; errors say so. */
  local: Files;
  /** The files of the share; errors say so. */
  share: Files;
  parts: Parts;
  throttle: Throttle;
  /** What was written is not read back. */
  trustWrite: boolean;
  /** Milliseconds, monotonic. */
  now: () => number;
  /** The marker is the one that was found at first; else an error. Asked before anything is written. */
  checkMounted: () => Promise<void>;
  /** Tells that the call goes on. */
  heartbeat: () => void;
}

export interface ByteRange {
  from: number;
  to: number;
}

/** Unwritten data grows with what the share takes in this time, ms: a slow one shows progress all the same. */
const quickSyncMs = 1000;
const minUnsynced = 1 << 18;
const maxUnsynced = 1 << 25;

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
  { from, to }: ByteRange,
  { throttle, heartbeat }: ShareTools,
  take: (piece: Buffer) => void,
  pass: (bytes: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(Math.min(throttle.chunkBytes, Math.max(1, to - from)));
  for (let position = from; position < to; ) {
    const wanted = Math.min(piece.length, to - position);
    await pass(wanted);
    const length = await file.read(piece.subarray(0, wanted), position);
    if (length === 0) return;
    take(piece.subarray(0, length));
    position += length;
    heartbeat();
  }
}

/** The same from the share, within the limit. */
export function readBack(
  file: OpenFile,
  range: ByteRange,
  tools: ShareTools,
  take: (piece: Buffer) => void,
): Promise<void> {
  return readPieces(file, range, tools, take, bytes => tools.throttle.take(bytes, tools.heartbeat));
}

/**
 * How far a file and its copy are the same, from `from` up to `to` or the end of the shorter one: the first position at
 * which they differ. `equal` is given what is the same, in order.
 */
export async function sameUpTo(
  local: OpenFile,
  copy: OpenFile,
  { from, to }: ByteRange,
  { throttle, heartbeat }: ShareTools,
  equal: (bytes: Buffer) => void = () => undefined,
): Promise<number> {
  const { chunkBytes } = throttle;
  for (let position = from; position < to; ) {
    const length = Math.min(chunkBytes, to - position);
    const ours = await readRange(local, position, position + length);
    await throttle.take(length, heartbeat);
    const theirs = await readRange(copy, position, position + length);
    const same = samePrefix(ours, theirs);
    if (same > 0) equal(ours.subarray(0, same));
    position += same;
    heartbeat();
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
  { from, to, path }: ByteRange & { path: string },
  { share, throttle, now, heartbeat }: ShareTools,
  copied: (piece: Buffer) => void = () => undefined,
): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(Math.min(throttle.chunkBytes, Math.max(1, to - from)));
  let window = 1 << 20;
  let unsynced = 0;
  const sync = async (): Promise<void> => {
    const begun = now();
    await syncGrown(share, path, copy);
    heartbeat();
    window = now() - begun < quickSyncMs ? Math.min(maxUnsynced, window * 2) : Math.max(minUnsynced, window / 2);
    unsynced = 0;
  };
  for (let position = from; position < to; ) {
    const length = await local.read(piece.subarray(0, Math.min(piece.length, to - position)), position);
    if (length === 0) {
      throw new ShareError(`${path}: the file became shorter while it was copied`, { side: 'local', code: 'ECHANGED' });
    }
    const part = piece.subarray(0, length);
    await throttle.take(length, heartbeat);
    const at = position;
    await writeFully(data => copy.write(data, at), part, path);
    copied(part);
    position += length;
    unsynced += length;
    heartbeat();
    if (unsynced >= window) await sync();
  }
  await sync();
}

/** The file on the share as its medium has it. */
export function openBack(path: string, { share }: ShareTools): Promise<OpenFile> {
  return share.openUncached ? share.openUncached(path) : share.open(path, 'r');
}

/** SHA-256 of a file on the share as its medium has it, or of some of its bytes. */
export function hashBack(path: string, tools: ShareTools, range?: ByteRange): Promise<string> {
  const hash = createHash('sha256');
  return withOpen(openBack(path, tools), async file => {
    await readBack(file, range ?? { from: 0, to: await file.size() }, tools, piece => void hash.update(piece));
    return hash.digest('hex');
  });
}

/** What a local file holds. */
export function digestLocal(path: string, tools: ShareTools): Promise<Digest> {
  const hash = createHash('sha256');
  return withOpen(tools.local.open(path, 'r'), async file => {
    const size = await file.size();
    await readPieces(file, { from: 0, to: size }, tools, piece => void hash.update(piece));
    return { size, sha256: hash.digest('hex') };
  });
}

/** What was read back is not what was written. */
export function damaged(path: string): ShareError {
  return new ShareError(`${path}: the share gave back other bytes than were written to it; it is copied again`, {
    code: 'ESHAREDAMAGED',
    path,
  });
}
