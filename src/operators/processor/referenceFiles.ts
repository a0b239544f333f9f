/** The files of references, in `results_dir/references`: bytes by their hash, and a record by what they were made for, written last. */

import { join } from 'node:path';
import { z } from 'zod';
import { contentHash } from '../../files/contentHash.ts';
import { makeFolder, removeFile } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { livenessOf, ownIdentity } from '../../files/processIdentity.ts';
import { readBytes } from '../../files/readBytes.ts';
import { processIdentitySchema, readValidJson } from '../../files/readJson.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { ReferenceBytes } from '../../model/analysisJob.ts';

/** Where references are kept, in `results_dir`. */
export const referencesFolder = 'references';
/** Says from when on a person wants the reference made anew. */
export const anewFile = 'anew.json';

export const anewSchema = z.object({
  /** Counts the times. */
  generation: z.int(),
  /** Entries from this local time on, ISO. */
  since: z.string(),
});

/** Says what `capture --dark` has measured last. */
export const darkFile = 'dark.json';

const darkSchema = z.object({
  /** Counts, as `dark_level`. */
  level: z.number(),
  /** Local time, ISO. */
  taken: z.string(),
  exposure: z.number(),
  gain: z.number(),
});

/** What is known of a reference, beside its bytes. */
const referenceRecordSchema = z.looseObject({
  hash: z.string(),
  made: z.string(),
  method: z.string(),
  roi_manifest_hash: z.string(),
  run_id: z.string(),
  generation: z.int(),
  /** Entry ids of its frames, in order of collection. */
  frames: z.array(z.string()),
  rois: z.int(),
  dark_level: z.number(),
  /** `dark_frame`: the number of the configuration is what `capture --dark` has measured. */
  dark_source: z.enum(['configured', 'dark_frame', 'estimated']),
  /** False: it says only how far the pattern pulls positions. Absent in records of versions before this one. */
  shifts: z.boolean().optional(),
});

export type ReferenceRecord = z.infer<typeof referenceRecordSchema>;

/** The references that a folder has records of, in the order in which they were made. */
export async function readReferences(files: Pick<Files, 'list' | 'open'>, folder: string): Promise<ReferenceRecord[]> {
  const names = await files.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const records: ReferenceRecord[] = [];
  for (const name of names.filter(name => name.endsWith('.json') && name !== anewFile)) {
    const record = await readValidJson(files, join(folder, name), referenceRecordSchema);
    if (record !== null && record.shifts !== false) records.push(record);
  }
  return records.sort((a, b) => (a.made < b.made ? -1 : 1));
}

/** There while a reference is being made: says by which process. */
const makingFile = 'making';

/** The references of one experiment, as the processor keeps them. Errors are the file system's. */
export class ReferenceFiles {
  readonly #folder: string;
  readonly #files: Files;
  readonly #warn: (message: string) => void;

  /** @param warn told of one that is damaged, and is made anew. */
  constructor(resultsFolder: string, files: Files, warn: (message: string) => void) {
    this.#folder = join(resultsFolder, referencesFolder);
    this.#files = files;
    this.#warn = warn;
  }

  /** What a person wishes to have made anew; null while there was no such wish. */
  readAnew(): Promise<z.infer<typeof anewSchema> | null> {
    return readValidJson(this.#files, join(this.#folder, anewFile), anewSchema);
  }

  /** @param key of what it is made for. @returns null: it is not made yet, or what was is damaged and is made anew. */
  async read(key: string): Promise<ReferenceBytes | null> {
    const record = await readValidJson(this.#files, this.#recordFile(key), referenceRecordSchema);
    if (record === null) return null;
    const path = this.#bytesFile(record.hash);
    const stat = await this.#files.stat(path);
    const bytes = stat === null ? null : await readBytes(this.#files, path);
    if (bytes !== null && contentHash(bytes) === record.hash) return share(record.hash, bytes);
    this.#warn(`${path} is ${bytes === null ? 'gone' : 'damaged'}: the reference is made anew`);
    return null;
  }

  async write(key: string, record: ReferenceRecord, bytes: Uint8Array): Promise<ReferenceBytes> {
    await writeAtomic(this.#files, this.#bytesFile(record.hash), bytes);
    await writeAtomic(this.#files, this.#recordFile(key), `${JSON.stringify(record, null, 1)}\n`);
    return share(record.hash, bytes);
  }

  /** Says meanwhile that this process is making one. */
  async whileMaking<T>(make: () => Promise<T>): Promise<T> {
    const making = join(this.#folder, makingFile);
    await makeFolder(this.#files, this.#folder);
    await writeAtomic(this.#files, making, JSON.stringify(ownIdentity));
    try {
      return await make();
    } finally {
      await removeFile(this.#files, making);
    }
  }

  /** Whether a process has died while it made a reference: one that lives is making it right now, from the same frames. */
  async wasLeft(): Promise<boolean> {
    const making = join(this.#folder, makingFile);
    if ((await this.#files.stat(making)) === null) return false;
    const maker = await readValidJson(this.#files, making, processIdentitySchema);
    return maker === null || livenessOf(maker) !== 'alive';
  }

  /** Where a dark level is from. @param darkLevel counts; null: it is estimated */
  async darkSourceOf(darkLevel: number | null): Promise<ReferenceRecord['dark_source']> {
    if (darkLevel === null) return 'estimated';
    const measured = await readValidJson(this.#files, join(this.#folder, darkFile), darkSchema);
    return measured?.level === darkLevel ? 'dark_frame' : 'configured';
  }

  #bytesFile(hash: string): string {
    return join(this.#folder, `reference_${hash}.bin`);
  }

  #recordFile(key: string): string {
    return join(this.#folder, `reference_${contentHash(key)}.json`);
  }
}

function share(hash: string, bytes: Uint8Array): ReferenceBytes {
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  return { hash, bytes: shared };
}
