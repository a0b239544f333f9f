import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import type { Files } from './files.ts';

/** Writes every byte or throws; a disk that takes only a part is full. */
export async function writeFully(
  write: (chunk: Uint8Array) => Promise<number>,
  data: Uint8Array,
  path: string,
): Promise<void> {
  const taken = await write(data);
  if (taken === data.length) return;
  const error: NodeJS.ErrnoException = new Error(`${path}: only ${taken} of ${data.length} bytes were written`);
  error.code = 'ENOSPC';
  error.path = path;
  throw error;
}

/**
 * Replaces a file so that a reader, or a crash at any instant, finds the old or the new content and nothing between.
 *
 * @param durable fsync file and folder; leave it out only for what is rewritten every second and may be lost.
 * @param mode of the new file; everybody may read it unless given.
 * @param beforeRename runs once the new content stands under its temporary name.
 */
export async function writeAtomic(
  files: Files,
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  { durable = true, beforeRename, mode }: { durable?: boolean; beforeRename?: () => Promise<void>; mode?: number } = {},
): Promise<void> {
  // A name of its own: two writers that replace one file (on two machines with one pid, or one suspended) never share it.
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  const file = await files.open(temporary, 'wx', mode);
  try {
    let position = 0;
    const put = async (chunk: Uint8Array): Promise<void> => {
      await writeFully(data => file.write(data, position), chunk, path);
      position += chunk.length;
    };
    if (typeof content === 'string') await put(Buffer.from(content));
    else if (content instanceof Uint8Array) await put(content);
    else for await (const chunk of content) await put(chunk);
    if (durable) await file.sync();
    await beforeRename?.();
  } catch (error) {
    await file.close();
    await files.remove(temporary);
    throw error;
  }
  try {
    await file.close();
    await files.rename(temporary, path);
  } catch (error) {
    await files.remove(temporary);
    throw error;
  }
  if (durable) await files.syncFolder(dirname(path));
}
