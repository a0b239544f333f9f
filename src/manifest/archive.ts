import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Entry } from '../model/entry.ts';
import type { Files } from '../storage/files.ts';
import { readChunks } from '../storage/readChunks.ts';
import { writeAtomic } from '../storage/writeAtomic.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Folder of the archive segments, beside the manifest. */
export function archiveFolder(manifestFile: string): string {
  return join(dirname(manifestFile), `${basename(manifestFile, '.json')}_archive`);
}

const segmentName = /^entries\.(\d+)\.jsonl\.gz$/;

async function segments(files: Files, manifestFile: string): Promise<number[]> {
  const names = await files.list(archiveFolder(manifestFile));
  return names
    .flatMap(name => segmentName.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Writes settled entries into a new segment and returns once it is durable. Entries stay in the live manifest until the
 * caller has recorded them as archived: a crash between leaves them in both places, where live wins.
 */
export async function writeSegment(files: Files, manifestFile: string, entries: readonly Entry[]): Promise<void> {
  const folder = archiveFolder(manifestFile);
  await files.makeFolder(folder);
  const number = ((await segments(files, manifestFile)).at(-1) ?? 0) + 1;
  const text = entries.map(entry => `${JSON.stringify(entry)}\n`).join('');
  await writeAtomic(files, join(folder, `entries.${number}.jsonl.gz`), await compress(text));
}

/** All archived entries, oldest segment first; an entry that stands in two segments comes twice, the later one counts. */
export async function* readArchive(files: Files, manifestFile: string): AsyncGenerator<Entry> {
  for (const number of await segments(files, manifestFile)) {
    const path = join(archiveFolder(manifestFile), `entries.${number}.jsonl.gz`);
    const chunks: Buffer[] = [];
    for await (const chunk of readChunks(files, path)) chunks.push(chunk);
    let text: string;
    try {
      text = (await decompress(Buffer.concat(chunks))).toString('utf8');
    } catch (error) {
      throw new Error(`${path} can't be read as an archive of entries: ${(error as Error).message}`, { cause: error });
    }
    for (const line of text.split('\n')) if (line) yield JSON.parse(line) as Entry;
  }
}
