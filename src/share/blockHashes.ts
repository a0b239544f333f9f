import { createHash, type Hash } from 'node:crypto';

/** Bytes of a growing file that have a hash of their own; what follows the last whole one is read again at each look. */
export const hashBlock = 1 << 24;

/** SHA-256 of each block of a file, as its bytes come in order. */
export class BlockHashes {
  readonly blocks: string[];
  #open: Hash = createHash('sha256');
  #inOpen = 0;

  constructor(blocks: readonly string[] = []) {
    this.blocks = [...blocks];
  }

  get length(): number {
    return this.blocks.length * hashBlock + this.#inOpen;
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + hashBlock - this.#inOpen);
      this.#open.update(piece);
      this.#inOpen += piece.length;
      at += piece.length;
      if (this.#inOpen < hashBlock) continue;
      this.blocks.push(this.#open.digest('hex'));
      this.#open = createHash('sha256');
      this.#inOpen = 0;
    }
  }

  /** Hash of what follows the last whole block. */
  tail(): string {
    return this.#open.copy().digest('hex');
  }
}
