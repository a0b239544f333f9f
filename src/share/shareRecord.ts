import { join } from 'node:path';
import type { Files } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { writeAtomic } from '../files/writeAtomic.ts';

/** Which share each remote folder was found to be at its first use. */
interface Shape {
  shares: Record<string, { share_id: string; first_used: string }>;
}

/**
 * What this machine remembers of the shares it uses: `flags/share.json`. To accept a replaced share, it is deleted. One
 * that is damaged is an error: to take it as a first use could mean to write to an empty mount point.
 */
export class ShareRecord {
  readonly #path: string;
  readonly #files: Files;

  constructor(flagsFolder: string, files: Files) {
    this.#path = join(flagsFolder, 'share.json');
    this.#files = files;
  }

  /** The id in the marker of a remote folder; null when it was never used. */
  async known(root: string): Promise<string | null> {
    return (await this.#read()).shares[root]?.share_id ?? null;
  }

  /** When a remote folder was first used, UTC; null when it never was. */
  async firstUsed(root: string): Promise<string | null> {
    return (await this.#read()).shares[root]?.first_used ?? null;
  }

  /** @param firstUsed UTC. */
  async remember(root: string, id: string, firstUsed: string): Promise<void> {
    const { shares } = await this.#read();
    const next: Shape = { shares: { ...shares, [root]: { share_id: id, first_used: firstUsed } } };
    await writeAtomic(this.#files, this.#path, `${JSON.stringify(next)}\n`);
  }

  async #read(): Promise<Shape> {
    if ((await this.#files.stat(this.#path)) === null) return { shares: {} };
    const text = String(await readBytes(this.#files, this.#path));
    try {
      const { shares } = (JSON.parse(text) ?? {}) as Partial<Shape>;
      if (typeof shares === 'object' && shares !== null) return { shares };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    const damaged: NodeJS.ErrnoException = new Error(
      `${this.#path} is damaged: it should say which share is used. Delete it, once the right share is mounted`,
    );
    damaged.code = 'ESHARERECORD';
    damaged.path = this.#path;
    throw damaged;
  }
}
