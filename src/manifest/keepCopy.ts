import { basename, dirname, join } from 'node:path';
import { syncNamed } from '../files/durableNames.ts';
import type { Files } from '../files/files.ts';
import { readChunks } from '../files/readChunks.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { Checksum } from './journalLine.ts';

/**
 * Copies a file that is about to be replaced, or left out, to `<stem>.<word>-<checksum>.<extension>` beside it: what a person has
 * written there, or what may still be read by other means, is not thrown away. `edited`: a manifest whose edits can't be taken;
 * `damaged`: what can't be read. Durable when it returns; the same content is kept once. Resolves with the path of the copy, or null
 * when there is nothing to copy.
 */
export async function keepCopy(
  files: Files,
  file: string,
  word: 'edited' | 'damaged' = 'edited',
): Promise<string | null> {
  if (!(await files.stat(file))) return null;
  const checksum = new Checksum();
  for await (const chunk of readChunks(files, file)) checksum.add(chunk);
  const [stem = '', extension = ''] = basename(file).split(/(?=\.jsonl?(?:\.gz)?$)/);
  const path = join(dirname(file), `${stem}.${word}-${checksum.text()}${extension}`);
  if (await files.stat(path)) await syncNamed(files, path);
  else await writeAtomic(files, path, readChunks(files, file));
  return path;
}
