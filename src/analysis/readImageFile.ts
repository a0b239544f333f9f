import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { largestImageBytes } from '../model/compression.ts';
import { BadImageError } from './badImageError.ts';
import { keptMemory } from './keptMemory.ts';

const memory = keptMemory(bytes => new ArrayBuffer(bytes));

/**
 * The bytes of a file, in memory of this thread that the next call overwrites. Blocks the thread: for one that has nothing
 * else to do this costs half of a promise's many small reads, and no fresh memory.
 *
 * @throws system errors (`ENOENT`, `EISDIR`, …); BadImageError for a file of more bytes than any image has
 */
export function readImageFile(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size > largestImageBytes) {
      throw new BadImageError(path, `${size} bytes; images of up to ${largestImageBytes} bytes are read`);
    }
    const bytes = new Uint8Array(memory(size), 0, size);
    let length = 0;
    // A file that is being cut at this moment ends before its size.
    for (let read = 1; read > 0 && length < size; length += read)
      read = readSync(file, bytes, length, size - length, length);
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
