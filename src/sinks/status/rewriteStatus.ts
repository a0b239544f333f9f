import type { Files } from '../../files/files.ts';
import { isFull } from '../../files/reserveFile.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';

/** Disks give room in blocks of so many bytes, or of less. */
const block = 4096;
/** A status may grow by so much, bytes, and still have its place. */
const spare = 1024;

/**
 * Replaces a status file. On a full disk no other file can stand beside it: it is written over in its own place then, which takes no
 * room. Blanks at its end keep that place. A reader that comes in between may find a half-written one, and reads again.
 *
 * @throws the file system's errors.
 */
export async function rewriteStatus(files: Files, path: string, json: string): Promise<void> {
  const bytes = Buffer.byteLength(json);
  const place = Math.ceil((bytes + spare) / block) * block;
  try {
    await writeAtomic(files, path, padded(json, bytes, place), { durable: false });
  } catch (error) {
    if (!isFull(error) || !(await writeOver(files, path, json, bytes))) throw error;
  }
}

const padded = (json: string, bytes: number, length: number): string => `${json}${' '.repeat(length - bytes - 1)}\n`;

/** False where it is not there, or has no room for it. */
async function writeOver(files: Files, path: string, json: string, bytes: number): Promise<boolean> {
  const size = (await files.stat(path))?.size ?? 0;
  if (size <= bytes) return false;
  const file = await files.open(path, 'r+');
  try {
    return (await file.write(Buffer.from(padded(json, bytes, size)), 0)) === size;
  } finally {
    await file.close();
  }
}
