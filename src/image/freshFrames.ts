import type { Pixels } from '../model/frame.ts';

/**
 * Frames that were just captured, for whoever would else decode the files just written: the same pixels, bit by bit.
 *
 * Contract: `keep` comes before the entry is told of. Each frame is taken once, by the id of its entry; who does not find it decodes
 * the file. No more than `maxBytes` are held: while the oldest frames still wait, new ones are not kept, so that who falls behind and
 * works from the oldest on goes on finding them.
 */
export class FreshFrames {
  readonly #maxBytes: number;
  readonly #isWaiting: (id: string) => boolean;
  readonly #frames = new Map<string, Pixels>();
  #bytes = 0;

  /** @param isWaiting whether the entry of this id still waits for somebody to look at its frame */
  constructor(maxBytes: number, isWaiting: (id: string) => boolean) {
    this.#maxBytes = maxBytes;
    this.#isWaiting = isWaiting;
  }

  keep(id: string, pixels: Pixels): void {
    this.take(id);
    const bytes = pixels.data.byteLength;
    if (this.#bytes + bytes > this.#maxBytes)
      for (const each of this.#frames.keys()) if (!this.#isWaiting(each)) this.take(each);
    if (this.#bytes + bytes > this.#maxBytes) return;
    this.#frames.set(id, pixels);
    this.#bytes += bytes;
  }

  /** The frame, which is whose took it from now on; null when it is not there. */
  take(id: string): Pixels | null {
    const pixels = this.#frames.get(id) ?? null;
    if (pixels !== null) {
      this.#frames.delete(id);
      this.#bytes -= pixels.data.byteLength;
    }
    return pixels;
  }
}
