import { extname } from 'node:path';

/** After so many images of a kind in a row that did not shrink, the next ones are not tried. */
const missesInARow = 3;
/** One in so many of such a kind is tried all the same: cameras and their settings change. */
const tryOneIn = 100;

/** What is known of one kind of image. */
interface Kind {
  misses: number;
  /** Images left as they are since one was tried last. */
  passed: number;
}

/**
 * Which kinds of image, by their extension, do not shrink: a PNG is compressed already. Kept in memory only, so that a restart
 * begins anew.
 */
export class IncompressibleKinds {
  readonly #kinds = new Map<string, Kind>();

  /** Whether an image is worth the attempt; counts those that are not. */
  isWorthTrying(filename: string): boolean {
    const kind = this.#kinds.get(extensionOf(filename));
    if (!kind || kind.misses < missesInARow) return true;
    kind.passed++;
    if (kind.passed < tryOneIn) return false;
    kind.passed = 0;
    return true;
  }

  shrank(filename: string): void {
    this.#kinds.delete(extensionOf(filename));
  }

  /** Returns whether its kind is left alone from now on, and was not before. */
  didNotShrink(filename: string): boolean {
    const extension = extensionOf(filename);
    const kind = this.#kinds.get(extension) ?? { misses: 0, passed: 0 };
    this.#kinds.set(extension, kind);
    kind.misses++;
    return kind.misses === missesInARow;
  }
}

export const extensionOf = (filename: string): string => extname(filename).toLowerCase();
