import { randomBytes } from 'node:crypto';
import { mustSyncFirst, removeFile, replaceFile, syncGrown } from './durableNames.ts';
import type { Files } from './files.ts';

/** Writes every byte or throws; a disk that takes only a part is full. */
export async function writeFully(
  write: (chunk: Uint8Array) => Promise<number>,
  data: Uint8Array,
  path: string,
): Promise<void> {
  const taken = await write(data);
  if (taken === data.length) return;
  const error: NodeJS.ErrnoException = new Error(
    `${path}: only ${taken} of ${data.length} bytes were written: its disk is full, make room on it`,
  );
  error.code = 'ENOSPC';
  error.path = path;
  throw error;
}

/** The end of a temporary name, which is another one each time: what is said of a failure leaves it out. */
export const temporaryEnd = /\.\d+-[0-9a-f]{8}\.tmp/;

/** A finished file under a temporary name, which waits to take the place of another. Its user calls one of the two. */
export interface Replacement {
  place(): Promise<void>;
  /** Removes it. No error where it is gone. */
  discard(): Promise<void>;
}

/**
 * Replaces a file so that a reader, or a crash at any instant, finds the old or the new content and nothing between.
 *
 * @param durable false only for what is rewritten every second and may be lost in a power cut.
 * @param mode of the new file; everybody may read it unless given.
 */
export async function writeAtomic(
  files: Files,
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: { durable?: boolean; mode?: number } = {},
): Promise<void> {
  const { place } = await prepareReplacement(files, path, content, options);
  await place();
}

/** The first half of {@link writeAtomic}: the file that is to be replaced stays as it is until `place` is called. */
export async function prepareReplacement(
  files: Files,
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  { durable = true, mode }: { durable?: boolean; mode?: number } = {},
): Promise<Replacement> {
  // A name of its own: two writers that replace one file (on two machines with one pid, or one suspended) never share it.
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  const discard = (): Promise<void> => removeFile(files, temporary);
  const file = await files.open(temporary, 'wx', mode);
  let isSynced: boolean;
  try {
    let position = 0;
    const put = async (chunk: Uint8Array): Promise<void> => {
      await writeFully(data => file.write(data, position), chunk, path);
      position += chunk.length;
    };
    if (typeof content === 'string') await put(Buffer.from(content));
    else if (content instanceof Uint8Array) await put(content);
    else for await (const chunk of content) await put(chunk);
    isSynced = durable && (await mustSyncFirst(files, path));
    if (isSynced) await syncGrown(files, temporary, file);
  } catch (error) {
    await file.close();
    await discard();
    throw error;
  }
  try {
    await file.close();
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    discard,
    place: async () => {
      try {
        await replaceFile(files, temporary, path, { isSynced, durable });
      } catch (error) {
        await discard();
        throw error;
      }
    },
  };
}
