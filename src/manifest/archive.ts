import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, gunzip, gzip } from 'node:zlib';
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

/** Entries in one segment at most: a segment is made and read as a whole. */
export const entriesPerSegment = 5_000;

const segmentName = /^entries\.(\d+)\.[0-9a-f]{8}\.jsonl\.gz$/;

interface Segment {
  name: string;
  number: number;
}

async function segments(files: Files, manifestFile: string): Promise<Segment[]> {
  const names = await files.list(archiveFolder(manifestFile));
  return names
    .flatMap(name => {
      const number = segmentName.exec(name)?.[1];
      return number === undefined ? [] : [{ name, number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1));
}

/**
 * Writes settled entries into a new segment and returns once it is durable. Entries stay in the live manifest until the
 * caller has recorded them as archived: a crash between leaves them in both places, where live wins.
 *
 * The name carries a checksum of the content: two writers that take the same number (one of them suspended, its lock
 * stolen) never replace each other's segment.
 */
export async function writeSegment(files: Files, manifestFile: string, entries: readonly Entry[]): Promise<void> {
  const folder = archiveFolder(manifestFile);
  await files.makeFolder(folder);
  const number = ((await segments(files, manifestFile)).at(-1)?.number ?? 0) + 1;
  const text = entries.map(entry => `${JSON.stringify(entry)}\n`).join('');
  const name = `entries.${number}.${crc32(text).toString(16).padStart(8, '0')}.jsonl.gz`;
  await writeAtomic(files, join(folder, name), await compress(text));
}

/** All archived entries, oldest segment first; an entry that stands in two segments comes twice, the later one counts. */
export async function* readArchive(files: Files, manifestFile: string): AsyncGenerator<Entry> {
  for (const { name } of await segments(files, manifestFile)) {
    const path = join(archiveFolder(manifestFile), name);
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
