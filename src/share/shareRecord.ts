import { join } from 'node:path';
import { z } from 'zod';
import type { Files } from '../files/files.ts';
import { DamagedJsonError, readJson } from '../files/readJson.ts';
import { writeAtomic } from '../files/writeAtomic.ts';

/** Which share each remote folder was found to be at its first use, UTC. */
const schema = z.object({ shares: z.record(z.string(), z.object({ share_id: z.string(), first_used: z.string() })) });

type Shape = z.infer<typeof schema>;

/** Code of the error for a record that is damaged. */
export const damagedRecord = 'ESHARERECORD';

/**
 * What this machine remembers of the shares it uses: `flags/share.json`. To accept a replaced share, it is deleted. One
 * that is damaged is an error: to take it as a first use could mean to write to an empty mount point.
 */
export class ShareRecord {
  readonly path: string;
  readonly #files: Files;

  constructor(flagsFolder: string, files: Files) {
    this.path = join(flagsFolder, 'share.json');
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

  /** One that is damaged is begun anew. @param firstUsed UTC. */
  async remember(root: string, id: string, firstUsed: string): Promise<void> {
    const { shares } = await this.#read().catch((error: NodeJS.ErrnoException): Shape => {
      if (error.code !== damagedRecord) throw error;
      return { shares: {} };
    });
    const next: Shape = { shares: { ...shares, [root]: { share_id: id, first_used: firstUsed } } };
    await writeAtomic(this.#files, this.path, `${JSON.stringify(next)}\n`);
  }

  async #read(): Promise<Shape> {
    try {
      return (await readJson(this.#files, this.path, schema)) ?? { shares: {} };
    } catch (cause) {
      if (!(cause instanceof DamagedJsonError)) throw cause;
      throw Object.assign(
        new Error(
          `${this.path} is damaged: it should say which share is used. Delete it, once the right share is mounted`,
          { cause },
        ),
        { code: damagedRecord, path: this.path },
      );
    }
  }
}
