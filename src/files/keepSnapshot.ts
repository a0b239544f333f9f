import { join } from 'node:path';
import { localIso } from '../model/localTime.ts';
import { makeFolder, syncNamed } from './durableNames.ts';
import type { Files } from './files.ts';
import { readBytes } from './readBytes.ts';
import { writeAtomic } from './writeAtomic.ts';

/** A text that results depend on. It is kept as `<stem>_<YYYYMMDD>_<HHMMSS>_<hash>.<extension>`. */
export interface Snapshot {
  stem: string;
  extension: string;
  /** What result lines say of it; other texts may have the same. Letters and digits. */
  hash: string;
  text: string;
}

/**
 * Keeps a copy of a text in a folder, which it makes, unless the same text is there already under the same hash. Durable when it
 * resolves; nothing is ever replaced.
 *
 * @param now milliseconds since 1970 UTC; the name has the local time.
 * @returns the path of a new copy; null when there is one already.
 * @throws the file system's errors.
 */
export async function keepSnapshot(
  files: Files,
  folder: string,
  { stem, extension, hash, text }: Snapshot,
  now: number,
): Promise<string | null> {
  await makeFolder(files, folder);
  const bytes = Buffer.from(text);
  const names = await files.list(folder);
  for (const name of names) {
    if (!name.startsWith(`${stem}_`) || !name.endsWith(`_${hash}.${extension}`)) continue;
    const path = join(folder, name);
    if (!bytes.equals(await readBytes(files, path))) continue;
    // Whoever kept it may not have come so far as to make it durable.
    await syncNamed(files, path);
    return null;
  }
  for (let at = now; ; at += 1000) {
    const name = `${stem}_${stamp(at)}_${hash}.${extension}`;
    if (names.includes(name)) continue;
    const path = join(folder, name);
    await writeAtomic(files, path, bytes);
    return path;
  }
}

const stamp = (ms: number): string => localIso(ms).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
