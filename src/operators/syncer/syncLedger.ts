import { join } from 'node:path';
import { z } from 'zod';
import type { FileStat, Files } from '../../files/files.ts';
import { readSoundJson, soundItems, soundValues } from '../../files/readJson.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { Growth, RemoteStat } from '../../share/shareCalls.ts';

/** A local file as it was when it was copied. */
export type SeenLocally = Pick<FileStat, 'size' | 'mtimeMs'>;

/** What is remembered of one copy. */
export type Copied =
  | { kind: 'grown'; local: SeenLocally; growth: Growth }
  | {
      kind: 'whole';
      local: SeenLocally;
      sha256: string | null;
      /** Where and how it stands on the share. */
      at: string;
      remote: RemoteStat | null;
      /** Hash of what was about to take its place: after a crash that may stand there already. */
      pending?: string;
    };

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

  private constructor(path: string, shareId: string, files: Files, state: State) {
    this.#path = path;
    this.#shareId = shareId;
    this.#files = files;
    this.#copied = state.copied;
    this.#fixed = state.fixed;
    this.isStale = state.isStale;
  }

  /** That of another share, or a damaged one, is begun anew. */
  static async open(flagsFolder: string, shareId: string, files: Files): Promise<SyncLedger> {
    const path = join(flagsFolder, 'sync_state.json');
    return new SyncLedger(path, shareId, files, await read(path, shareId, files));
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

interface State {
  copied: Map<string, Copied>;
  fixed: Set<string>;
  isStale: boolean;
}

async function read(path: string, shareId: string, files: Files): Promise<State> {
  const state = await readSoundJson(files, path, schema);
  if (state?.share_id !== shareId) return { copied: new Map(), fixed: new Set(), isStale: false };
  return { copied: new Map(Object.entries(state.files)), fixed: new Set(state.fixed), isStale: state.stale };
}

const local = z.object({ size: z.number(), mtimeMs: z.number() });
const growth = z.object({
  length: z.int(),
  blocks: z.array(z.string()),
  tail: z.string(),
  ino: z.number(),
  mtimeMs: z.number(),
});
const remoteStat = z.looseObject({ size: z.number(), mtimeMs: z.number() }) as unknown as z.ZodType<RemoteStat>;
const copied = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('grown'), local, growth }),
  z.object({
    kind: z.literal('whole'),
    local,
    sha256: z.string().nullable(),
    at: z.string(),
    remote: remoteStat.nullable(),
    pending: z.string().optional(),
  }),
]) as z.ZodType<Copied>;

/** A record that is damaged is left out: that copy is compared with its file once more. */
const schema = z.object({
  share_id: z.string(),
  stale: z.boolean().catch(false),
  files: soundValues(copied),
  fixed: soundItems(z.string()).catch([]),
});
