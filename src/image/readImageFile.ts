import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { codecOf } from '../model/compression.ts';
import { BadImageError } from './badImageError.ts';
import { checkedHeader, imageMemory, limitText } from './imageMemory.ts';
import { reusableMemory } from './reusableMemory.ts';
import type { ReadAt } from './tiffDirectories.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

const memory = reusableMemory(bytes => new ArrayBuffer(bytes));

/** What is read at first: the headers of nearly all images lie in it. */
const headBytes = 1 << 16;

/**
 * The bytes of a file, in memory of this thread that the next call overwrites. Blocks the thread: for one that has nothing
 * else to do this costs half of a promise's many small reads, and no fresh memory. An image that will not be decoded is
 * refused by its header, before it is read.
 *
 * @param limit bytes that file and pixels may take together
 * @param keep memory for so many bytes
 * @throws system errors (`ENOENT`, `EISDIR`, …); BadImageError for a file that takes more than it may
 */
export function readImageFile(path: string, limit = imageMemory(), keep = memory): Uint8Array {
  const file = openSync(path, O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0));
  try {
    const found = fstatSync(file);
    // Reading a pipe would block this thread for good.
    if (!found.isFile() && !found.isDirectory()) throw new BadImageError(path, 'a pipe or a device');
    const { size } = found;
    if (size > headBytes && codecOf(path) === null) checkedHeader(fileReader(file), path, size, limit);
    if (size > limit) throw new BadImageError(path, `${size} bytes; ${limitText(limit)}`);
    const bytes = new Uint8Array(keep(size), 0, size);
    let length = 0;
    // A file that is being cut at this moment ends before its size.
    for (let read = 1; read > 0 && length < size; length += read)
      read = readSync(file, bytes, length, size - length, length);
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** Reads parts of an open file; those of its head at once. */
function fileReader(file: number): ReadAt {
  const read: ReadAt = (at, length) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, at));
  };
  const head = read(0, headBytes);
  return (at, length) => (at + length <= head.length ? head.subarray(at, at + length) : read(at, length));
}
