import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../model/clock.ts';
import type { Files } from './files.ts';

export interface WriteSpeed {
  /** With the fsync that makes them durable. */
  bytesPerSecond: number;
  /** Time of the fsync of a small append, ms. */
  syncMs: { median: number; longest: number };
}

/** As many bytes as this between two fsyncs, and in all. */
const pieceBytes = 4 * 2 ** 20;
const mostPieces = 16;
const mostSyncs = 25;
/** Each of the two measurements ends after so long, ms. */
const budgetMs = 4_000;

/**
 * How fast a folder's disk takes images, and how long an fsync takes. Writes a temporary file of 64 MiB at most, and removes it.
 * @param mostBytes so much room there is for it
 * @throws the file system's errors
 */
export async function measureWrites(
  folder: string,
  { files, clock, mostBytes = Number.POSITIVE_INFINITY }: { files: Files; clock: Clock; mostBytes?: number },
): Promise<WriteSpeed> {
  // Named as other temporaries are, so that the next start removes one that was left.
  const path = join(folder, `check_storage.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  const file = await files.open(path, 'wx');
  try {
    // What a disk could not make smaller.
    const piece = randomBytes(Math.max(1, Math.min(pieceBytes, mostBytes)));
    const begun = clock.monotonic();
    let written = 0;
    const isEnough = (): boolean => written + piece.length > Math.min(mostBytes, mostPieces * pieceBytes);
    do {
      for (let at = 0; at < piece.length; ) at += await file.write(piece.subarray(at), written + at);
      written += piece.length;
      await file.sync();
    } while (!isEnough() && clock.monotonic() - begun < budgetMs);
    const seconds = (clock.monotonic() - begun) / 1000;
    return { bytesPerSecond: written / Math.max(seconds, 1e-6), syncMs: await measureSyncs() };
  } finally {
    await file.close();
    await files.remove(path);
  }

  async function measureSyncs(): Promise<WriteSpeed['syncMs']> {
    const times: number[] = [];
    const begun = clock.monotonic();
    let at = await file.size();
    while (times.length < mostSyncs && (times.length === 0 || clock.monotonic() - begun < budgetMs)) {
      const start = clock.monotonic();
      at += await file.write(randomBytes(512), at);
      await file.sync();
      times.push(clock.monotonic() - start);
    }
    times.sort((a, b) => a - b);
    return { median: times[times.length >> 1] as number, longest: times.at(-1) as number };
  }
}
