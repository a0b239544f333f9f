import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Files } from './files.ts';
import { moveFile } from './moveFile.ts';
import { readChunks } from './readChunks.ts';

/** The end of an append-only output: number of the segment and its length in bytes. */
export interface SegmentPosition {
  segment: number;
  length: number;
}

/** Earlier in the output: below zero when `a` stands before `b`. */
export function comparePositions(a: SegmentPosition, b: SegmentPosition): number {
  return a.segment - b.segment || a.length - b.length;
}

/**
 * An append-only output that goes on in a new file when one is full: `<stem>.<extension>`, then `<stem>.1.<extension>`,
 * `.2.` and so on. The newest number is the one that grows. No file is ever renamed, so a place in it stays what it
 * was; a closed one may have been compressed to `….gz`, and is read just the same.
 *
 * It only knows names and reads; writing is `appendDurably`'s.
 */
export class SegmentedFile {
  readonly folder: string;
  readonly #files: Files;
  readonly #stem: string;
  readonly #extension: string;
  /** The newest segment seen; numbers only grow, so the search for the newest starts here. */
  #newest: number | null = null;

  constructor(files: Files, folder: string, stem: string, extension: string) {
    this.#files = files;
    this.folder = folder;
    this.#stem = stem;
    this.#extension = extension;
  }

  path(segment: number): string {
    return join(this.folder, `${this.#stem}${segment === 0 ? '' : `.${segment}`}.${this.#extension}`);
  }

  /** Numbers of the segments that are there, plain or compressed, ascending. */
  async segments(): Promise<number[]> {
    const numbers = new Set<number>();
    for (const name of await this.#files.list(this.folder)) {
      const number = this.numberOf(name);
      if (number !== null) numbers.add(number);
    }
    return [...numbers].sort((a, b) => a - b);
  }

  /** The segment that grows, with its size; the first one, of size 0, when there is none yet. */
  async current(): Promise<SegmentPosition> {
    this.#newest ??= (await this.segments()).at(-1) ?? 0;
    while (await this.#exists(this.#newest + 1)) this.#newest++;
    const stat = await this.#files.stat(this.path(this.#newest));
    if (stat) return { segment: this.#newest, length: stat.size };
    if (await this.#files.stat(`${this.path(this.#newest)}.gz`)) return { segment: this.#newest + 1, length: 0 };
    // Nothing under the newest number that was seen: the folder was emptied or replaced meanwhile.
    this.#newest = (await this.segments()).at(-1) ?? 0;
    return { segment: this.#newest, length: (await this.#files.stat(this.path(this.#newest)))?.size ?? 0 };
  }

  /** Looks at the folder again at the next `current()`; for an owner that removed segments itself. */
  forget(): void {
    this.#newest = null;
  }

  /**
   * Bytes of a segment from `from` to `to`, a chunk at a time. A compressed one is read from its start and what is not
   * asked for thrown away.
   * @throws Node's error (`ENOENT` names the plain file) when it can't be read, zlib's when the `.gz` is damaged.
   */
  async *read(segment: number, from = 0, to = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
    const plain = this.path(segment);
    if ((await this.#files.stat(plain)) || !(await this.#files.stat(`${plain}.gz`))) {
      yield* readChunks(this.#files, plain, from, to);
      return;
    }
    const packed = Readable.from(readChunks(this.#files, `${plain}.gz`), { objectMode: false });
    const unpacked = createGunzip();
    packed.on('error', error => unpacked.destroy(error));
    packed.pipe(unpacked);
    let position = 0;
    try {
      for await (const chunk of unpacked as AsyncIterable<Buffer>) {
        const start = Math.max(0, from - position);
        const end = Math.min(chunk.length, to - position);
        position += chunk.length;
        if (end > start) yield chunk.subarray(start, end);
        if (position >= to) return;
      }
    } catch (error) {
      throw new Error(`${plain}.gz can't be unpacked: ${(error as Error).message}`, { cause: error });
    } finally {
      packed.destroy();
      unpacked.destroy();
    }
  }

  /** Which segment a file of this name is; null where it is none. */
  numberOf(name: string): number | null {
    const tail = `.${this.#extension}`;
    const plain = name.endsWith('.gz') ? name.slice(0, -3) : name;
    if (!plain.startsWith(this.#stem) || !plain.endsWith(tail)) return null;
    const middle = plain.slice(this.#stem.length, -tail.length);
    if (middle === '') return 0;
    return /^\.[1-9]\d{0,8}$/.test(middle) ? Number(middle.slice(1)) : null;
  }

  /** Moves a segment, durably, plain, compressed or both. @param to path of the plain one. */
  async move(segment: number, to: string): Promise<void> {
    for (const suffix of ['', '.gz']) {
      const path = `${this.path(segment)}${suffix}`;
      if (await this.#files.stat(path)) await moveFile(this.#files, path, `${to}${suffix}`);
    }
  }

  async #exists(segment: number): Promise<boolean> {
    const path = this.path(segment);
    return (await this.#files.stat(path)) !== null || (await this.#files.stat(`${path}.gz`)) !== null;
  }
}
