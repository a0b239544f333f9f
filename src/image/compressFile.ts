import { createHash, randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { mustSyncFirst, removeFile, replaceFile, syncGrown, syncNamed } from '../files/durableNames.ts';
import type { FileStat, Files } from '../files/files.ts';
import { readChunks } from '../files/readChunks.ts';
import { writeFully } from '../files/writeAtomic.ts';
import {
  type Codec,
  codecOf,
  codecSuffixes,
  createCompressor,
  createDecompressor,
  largestImageBytes,
} from '../model/compression.ts';

export interface CompressFileOptions {
  files: Files;
  path: string;
  codec: Codec;
  /** 1 (fast) to 9 (small). */
  level: number;
  /** A copy that is not smaller by at least this share of the original is not kept; from 0 to 1. */
  minSaving: number;
  /** Ends it within a chunk: its reason is thrown, and no temporary file stays. */
  signal: AbortSignal;
}

/** What became of it; sizes in bytes. The original is there in any case, as it was. */
export type Compressed =
  /** A copy that was read back and holds the same bytes is durable at `path`. */
  | { kind: 'compressed'; path: string; from: number; to: number }
  /** No copy is there: it would save too little. */
  | { kind: 'incompressible'; from: number; to: number };

/** The original can't be read, is too large, was changed meanwhile, or another file has the name. It is this file's own failure. */
export class UncompressibleFileError extends Error {
  override name = 'UncompressibleFileError';
}

/** The disk failed while the image, or a copy of it, was read: it may be the disk, or this one place on it. */
export class ImageReadError extends Error {
  override name = 'ImageReadError';
  readonly code: string | undefined;

  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause });
    this.code = cause.code;
  }
}

/** What a killed writer has left: `<name>.gz.<pid>-<random>.tmp`. */
export const temporaryCopy = /^(.+)\.(?:gz|zst)\.(\d+)-[0-9a-f]{8}\.tmp$/;

/** The content of a file, told apart from any other. */
interface Content {
  sha256: string;
  length: number;
}

/**
 * Makes a compressed copy beside a file: to a temporary name, fsync, read back and compared by length and SHA-256 with the
 * bytes that were read, rename, fsync of the folder. The original is only read; its removal is the caller's.
 *
 * A copy that is there already, by either codec, counts when it holds the same; one that holds something else is never
 * touched. Memory is bounded by the chunks, whatever the file's size.
 *
 * @throws UncompressibleFileError for what is wrong with this file; ImageReadError when reading failed; the file
 *   system's error for all else; the signal's reason. Nothing of it is left then.
 */
export async function compressFile(options: CompressFileOptions): Promise<Compressed> {
  const { files, path, codec, minSaving, signal } = options;
  const before = await statOriginal(files, path);
  const there = await existingCopy(options);
  if (there) return { kind: 'compressed', path: there.path, from: before.size, to: there.size };

  const copy = path + codecSuffixes[codec];
  const temporary = `${copy}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    const isSynced = await mustSyncFirst(files, copy);
    const original = await writeCopy(options, temporary, isSynced);
    const to = (await files.stat(temporary))!.size;
    const from = original.length;
    if (to > from * (1 - minSaving)) {
      await removeFile(files, temporary);
      return { kind: 'incompressible', from, to };
    }
    await verify(options, temporary, original);
    const after = await statOriginal(files, path);
    if (from !== after.size || before.mtimeMs !== after.mtimeMs || before.ino !== after.ino)
      throw new UncompressibleFileError(`${path} was changed while it was compressed; it stays as it is`);
    signal.throwIfAborted();
    // Between this look and the rename only the owner of the image's claim could make such a file.
    if (await files.stat(copy)) throw occupied(copy);
    await replaceFile(files, temporary, copy, { isSynced });
    return { kind: 'compressed', path: copy, from, to };
  } catch (error) {
    // What a failing disk refuses to remove is found when the compressor starts anew.
    await removeFile(files, temporary).catch(() => undefined);
    throw error;
  }
}

/**
 * Whether a compressed file holds the same bytes as a plain one; false when the compressed one is damaged.
 * @throws UncompressibleFileError and ImageReadError when either can't be read; the signal's reason
 */
export async function holdsSame(
  files: Files,
  { plain, copy, signal }: { plain: string; copy: string; signal: AbortSignal },
): Promise<boolean> {
  const codec = codecOf(copy);
  if (codec === null) return false;
  let copied: Content;
  try {
    copied = await contentOf(files, copy, codec, signal);
  } catch (error) {
    if (isReading(error) || signal.aborted) throw error;
    return false;
  }
  return isSame(await contentOf(files, plain, null, signal), copied);
}

async function statOriginal(files: Files, path: string): Promise<FileStat> {
  const stat = await files.stat(path);
  if (!stat) throw new UncompressibleFileError(`${path} is not there any more`);
  if (stat.size > largestImageBytes)
    throw new UncompressibleFileError(
      `${path} has ${stat.size} bytes; images of more than ${largestImageBytes} stay as they are`,
    );
  return stat;
}

/** One that an earlier attempt, cut off before it was recorded, has left; null when there is none. */
async function existingCopy({
  files,
  path,
  codec,
  signal,
}: CompressFileOptions): Promise<{ path: string; size: number } | null> {
  const wanted = codecSuffixes[codec];
  for (const suffix of new Set([wanted, ...Object.values(codecSuffixes)])) {
    const copy = path + suffix;
    const stat = await files.stat(copy);
    if (!stat) continue;
    if (!stat.isFolder && !stat.strange && (await holdsSame(files, { plain: path, copy, signal }))) {
      // Whoever left it may not have come so far.
      await syncNamed(files, copy);
      return { path: copy, size: stat.size };
    }
    if (suffix === wanted) throw occupied(copy);
  }
  return null;
}

const occupied = (copy: string): Error =>
  new UncompressibleFileError(`${copy} is there and holds something else: it is kept, and the image stays as it is`);

/** Writes the compressed bytes, durably; returns what was read. */
async function writeCopy(
  { files, path, codec, level, signal }: CompressFileOptions,
  temporary: string,
  isSynced: boolean,
): Promise<Content> {
  const hash = createHash('sha256');
  let length = 0;
  const file = await files.open(temporary, 'wx', (await files.stat(path))?.mode);
  try {
    let position = 0;
    await pipeline(
      async function* read() {
        for await (const chunk of readImage(files, path)) {
          hash.update(chunk);
          length += chunk.length;
          yield chunk;
        }
      },
      createCompressor(codec, level),
      async (packed: AsyncIterable<Buffer>) => {
        for await (const chunk of packed) {
          await writeFully(data => file.write(data, position), chunk, temporary);
          position += chunk.length;
        }
      },
      { signal },
    );
    if (isSynced) await syncGrown(files, temporary, file);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), length };
}

/** Reads back what was written, from the medium where the system lets one. */
async function verify(
  { files, codec, signal }: CompressFileOptions,
  temporary: string,
  original: Content,
): Promise<void> {
  const { openUncached } = files;
  const medium = openUncached ? { open: (path: string) => openUncached.call(files, path) } : files;
  let found: string;
  try {
    const copied = await contentOf(medium, temporary, codec, signal);
    if (isSame(original, copied)) return;
    found = `${copied.length} bytes with SHA-256 ${copied.sha256}`;
  } catch (error) {
    if (isReading(error) || signal.aborted) throw error;
    found = (error as Error).message;
  }
  const damage: NodeJS.ErrnoException = new Error(
    `${temporary} does not hold what was written to it (${original.length} bytes with SHA-256 ${original.sha256}, ` +
      `compressed), but ${found}; check memory and disk`,
  );
  damage.code = 'EIO';
  damage.path = temporary;
  throw damage;
}

const isReading = (error: unknown): boolean =>
  error instanceof ImageReadError || error instanceof UncompressibleFileError;

/** A file's bytes. That it may not be read, or is no file, is its own fault. */
async function* readImage(files: Pick<Files, 'open'>, path: string): AsyncGenerator<Buffer> {
  try {
    yield* readChunks(files, path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM' || code === 'EISDIR')
      throw new UncompressibleFileError(message, { cause: error });
    throw new ImageReadError(error as NodeJS.ErrnoException);
  }
}

/** @throws as `readImage`; zlib's error when it is damaged; the signal's reason */
async function contentOf(
  files: Pick<Files, 'open'>,
  path: string,
  codec: Codec | null,
  signal: AbortSignal,
): Promise<Content> {
  const hash = createHash('sha256');
  let length = 0;
  const count = (chunk: Buffer): void => {
    hash.update(chunk);
    length += chunk.length;
    if (length > largestImageBytes) throw new RangeError(`${path} unpacks to more than ${largestImageBytes} bytes`);
  };
  const chunks = (): AsyncGenerator<Buffer> => readImage(files, path);
  const take = async (plain: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of plain) count(chunk);
  };
  try {
    if (codec === null) await pipeline(chunks, take, { signal });
    else await pipeline(chunks, createDecompressor(codec), take, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
  return { sha256: hash.digest('hex'), length };
}

const isSame = (a: Content, b: Content): boolean => a.length === b.length && a.sha256 === b.sha256;
