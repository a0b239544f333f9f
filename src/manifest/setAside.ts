import { basename, dirname, join } from 'node:path';
import type { Files } from '../storage/files.ts';
import { readChunks } from '../storage/readChunks.ts';
import { writeAtomic } from '../storage/writeAtomic.ts';
import { Checksum } from './journalLine.ts';

/**
 * Copies a manifest whose edits can't be taken (broken, or of an older copy) to `metadata_manifest.edited-<checksum>.json`
 * beside it, before a fold replaces it: what a person has written there is not thrown away. Durable when it returns; the same content is kept
 * once. Resolves with the path of the copy, or null when there is nothing to copy.
 */
export async function setAside(files: Files, manifestFile: string): Promise<string | null> {
  if (!(await files.stat(manifestFile))) return null;
  const checksum = new Checksum();
  for await (const chunk of readChunks(files, manifestFile)) checksum.add(chunk);
  const stem = basename(manifestFile, '.json');
  const path = join(dirname(manifestFile), `${stem}.edited-${checksum.text()}.json`);
  if (!(await files.stat(path))) await writeAtomic(files, path, readChunks(files, manifestFile));
  return path;
}
