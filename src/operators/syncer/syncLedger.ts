import { join } from 'node:path';
import { z } from 'zod';
import type { FileStat, Files } from '../../files/files.ts';
import { readValidJson, validItems, validValues } from '../../files/readJson.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { RemoteStat } from '../../share/shareCalls.ts';

const local = z.object({ size: z.number(), mtimeMs: z.number() });
const remote = z.looseObject({ size: z.number(), mtimeMs: z.number() }) as unknown as z.ZodType<RemoteStat>;

/** A growing file, which is appended to. */
const grown = z.object({
  kind: z.literal('grown'),
  /** The local file as it was when it was copied. */
  local,
  growth: z.object({ length: z.int(), mtimeMs: z.number() }),
  /** When all of the copy was compared last, ms since 1970, and how old the file was then; versions before did not say it. */
  compared: z.object({ at: z.number(), mtimeMs: z.number() }).optional(),
});

/** A file that is copied as a whole. */
const whole = z.object({
  kind: z.literal('whole'),
  local,
  /** SHA-256 of all that may stand there from here: more than one while one is about to take the place of another. */
  ours: z.array(z.string()),
  /** Where and how it stands on the share. */
  at: z.string(),
  remote: remote.nullable(),
});

/** The same as versions before wrote it. */
const wholeBefore = whole
  .omit({ ours: true })
  .extend({ sha256: z.string().nullable(), pending: z.string().optional() })
  .transform(({ sha256, pending, ...copy }) => ({ ...copy, ours: [sha256, pending].filter(hash => hash != null) }));

/** What is remembered of one copy. */
export type Copied = z.infer<typeof grown> | z.infer<typeof whole>;

/** A record that is damaged is left out: that copy is compared with its file once more. */
const schema = z.object({
  share_id: z.string(),
  stale: z.boolean().catch(false),
  files: validValues<Copied>(z.union([grown, whole, wholeBefore])),
  fixed: validItems(z.string()).catch([]),
});

/** Whether a local file is as it was when it was copied. */
export const isSeen = (copy: Copied, { size, mtimeMs }: FileStat): boolean =>
  copy.local.size === size && copy.local.mtimeMs === mtimeMs;

/**
 * What was copied to the share besides the images (those are in the manifest): `flags/sync_state.json`. One record a file
 * that is still there; of files that never change, of which a long run has thousands, their names alone.
 *
 * It saves work, and correctness does not rest on it: without it every copy is compared with its file once.
 */
export class SyncLedger {
  readonly #path: string;
  readonly #shareId: string;
  readonly #files: Files;
  readonly #copied: Map<string, Copied>;
  /** Paths on the share, in the order in which they were copied. */
  readonly #fixed: Set<string>;
  /** The share was found to have lost copies, and those of the images were not looked for to the end yet. */
  isStale: boolean;

  private constructor(path: string, shareId: string, files: Files, state: z.infer<typeof schema> | null) {
    this.#path = path;
    this.#shareId = shareId;
    this.#files = files;
    this.#copied = new Map(Object.entries(state?.files ?? {}));
    this.#fixed = new Set(state?.fixed);
    this.isStale = state?.stale ?? false;
  }

  /** That of another share, or a damaged one, is begun anew. */
  static async open(flagsFolder: string, shareId: string, files: Files): Promise<SyncLedger> {
    const path = join(flagsFolder, 'sync_state.json');
    const state = await readValidJson(files, path, schema);
    return new SyncLedger(path, shareId, files, state?.share_id === shareId ? state : null);
  }

  /** The id of the share to which something was copied last; null when nobody knows. */
  static async lastShare(flagsFolder: string, files: Files): Promise<string | null> {
    return (await readValidJson(files, join(flagsFolder, 'sync_state.json'), schema))?.share_id ?? null;
  }

  /** @param remote path of the copy, relative to the share's root. */
  get(remote: string): Copied | undefined {
    return this.#copied.get(remote);
  }

  set(remote: string, copied: Copied): void {
    this.#copied.set(remote, copied);
    this.#fixed.delete(remote);
  }

  /** Whether a file that never changes stands there, of the same size as here. */
  isFixed(remote: string): boolean {
    return this.#fixed.has(remote);
  }

  setFixed(remote: string): void {
    this.#fixed.add(remote);
    this.#copied.delete(remote);
  }

  /** Those that were copied last. */
  newestFixed(count: number): string[] {
    return [...this.#fixed].slice(-count);
  }

  /** Forgets the files that are not there any more. */
  keepOnly(remotes: ReadonlySet<string>): void {
    for (const remote of this.#copied.keys()) if (!remotes.has(remote)) this.#copied.delete(remote);
    for (const remote of this.#fixed) if (!remotes.has(remote)) this.#fixed.delete(remote);
  }

  async save(): Promise<void> {
    const text = JSON.stringify({
      share_id: this.#shareId,
      stale: this.isStale,
      files: Object.fromEntries(this.#copied),
      fixed: [...this.#fixed],
    });
    await writeAtomic(this.#files, this.#path, `${text}\n`);
  }
}
