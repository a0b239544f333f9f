import { z } from 'zod';
import { contentHash } from '../../files/contentHash.ts';
import type { Files } from '../../files/files.ts';
import { readValidJson, validValues } from '../../files/readJson.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';

export interface FrameSize {
  width: number;
  height: number;
}

export const sameSize = (a: FrameSize, b: FrameSize): boolean => a.width === b.width && a.height === b.height;

/** So many frames of one size settle it, while others are still analysed. */
const settledBy = 2;
/** ROI manifests whose frame size is remembered, the newest. */
const maxRemembered = 100;

/**
 * Which frames a ROI manifest is for: once a run has used it, its identity (the hash of its text) has a frame size, which outlives
 * the process. Frames of another size are not its frames, whether its ROIs lie in them or not.
 *
 * Also whose fault it is that the ROIs do not lie in a frame: once the manifest has fitted any, it is the frame's. Until then
 * frames wait for what becomes of the others that are analysed at the same time: the size of most of those that it fits counts; when it fits
 * none, it is the manifest's fault. So one odd image at the beginning of a run neither stops it nor becomes its measure.
 */
export class FrameFit {
  readonly #files: Files;
  readonly #file: string;
  /** The text that the rest is about, and the size of its frames, once it is known. */
  #text: string | null = null;
  #size: FrameSize | null = null;
  /** Frames that are analysed, those that wait for the verdict included. */
  #analysed = 0;
  #waiting: Waiting[] = [];
  #deciding: Promise<void> | null = null;

  /** @param file JSON, where the sizes are kept. */
  constructor(files: Files, file: string) {
    this.#files = files;
    this.#file = file;
  }

  /** The analysis of a frame begins. Returns what to call when it is over, however it ended; any number of times. */
  begin(): () => void {
    let isOver = false;
    this.#analysed++;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#analysed--;
      this.#judge();
    };
  }

  /**
   * The manifest of this text has fitted a frame of this size. Resolves with the size of the frames that it is for, which may be
   * another. Begun, and not over yet.
   *
   * @param signal ends the waiting; the answer is then of no use.
   * @throws the file system's errors
   */
  async sizeFor(text: string, size: FrameSize, signal: AbortSignal): Promise<FrameSize> {
    await this.#turnTo(text);
    return this.#size ?? (await this.#verdict(size, signal)) ?? size;
  }

  /** Resolves with whether it is the fault of the frame that the ROIs do not lie in it. As `sizeFor`. */
  async isFramesFault(text: string, signal: AbortSignal): Promise<boolean> {
    await this.#turnTo(text);
    return this.#size !== null || (await this.#verdict(null, signal)) !== null;
  }

  async #turnTo(text: string): Promise<void> {
    await this.#deciding;
    if (text === this.#text) return;
    const size = (await this.#remembered())[contentHash(text)] ?? null;
    if (text === this.#text) return;
    this.#text = text;
    this.#size = size;
  }

  #verdict(size: FrameSize | null, signal: AbortSignal): Promise<FrameSize | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ size, resolve, reject });
      signal.addEventListener('abort', () => resolve(null), { once: true });
      this.#judge();
    });
  }

  #judge(): void {
    if (this.#waiting.length === 0 || this.#deciding !== null) return;
    const fitting = this.#waiting.flatMap(({ size }) => (size === null ? [] : [size]));
    const votes = (size: FrameSize): number => fitting.filter(other => sameSize(size, other)).length;
    const [most] = fitting.toSorted((a, b) => votes(b) - votes(a));
    const isSettled = most !== undefined && votes(most) >= settledBy;
    if (!isSettled && this.#waiting.length < this.#analysed) return;
    const waiting = this.#waiting.splice(0);
    if (most === undefined) {
      for (const { resolve } of waiting) resolve(null);
      return;
    }
    this.#deciding = this.#remember(most)
      .then(
        size => waiting.forEach(({ resolve }) => void resolve(size)),
        (error: unknown) => waiting.forEach(({ reject }) => void reject(error)),
      )
      .finally(() => {
        this.#deciding = null;
        this.#judge();
      });
  }

  /** Makes a size that of the manifest, unless another process has given it one meanwhile. Resolves with what counts. */
  async #remember(size: FrameSize): Promise<FrameSize> {
    const hash = contentHash(this.#text as string);
    const known = await this.#remembered();
    this.#size = known[hash] ?? size;
    if (known[hash]) return this.#size;
    const kept = Object.entries(known).slice(1 - maxRemembered);
    const text = JSON.stringify(Object.fromEntries([...kept, [hash, { width: size.width, height: size.height }]]));
    try {
      await writeAtomic(this.#files, this.#file, `${text}\n`);
    } catch (error) {
      this.#size = null;
      throw error;
    }
    return size;
  }

  /** Sizes by the hashes of the manifests. What is damaged is forgotten: the next frames settle it again. */
  async #remembered(): Promise<Record<string, FrameSize>> {
    return (await readValidJson(this.#files, this.#file, sizesSchema)) ?? {};
  }
}

interface Waiting {
  /** Null: the ROIs do not lie in the frame. */
  size: FrameSize | null;
  resolve: (size: FrameSize | null) => void;
  reject: (error: unknown) => void;
}

const sizesSchema = validValues(z.object({ width: z.int(), height: z.int() }));
