import type { Files } from './files.ts';

const chunkBytes = 1 << 20;
/** What is read beyond the end that the file had at first: it may be growing. */
const beyondEndBytes = 4096;

/**
 * A file's bytes from `from` to `to` (default: to its end), a chunk at a time. Each chunk is a buffer of its own.
 * Errors are those of the file system; a file that ends early just ends.
 */
export async function* readChunks(
  files: Pick<Files, 'open'>,
  path: string,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  const file = await files.open(path, 'r');
  try {
    // A few new lines of a journal must not cost a whole chunk of memory each time.
    const end = (await file.size()) + beyondEndBytes;
    for (let position = from; position < to; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, to - position, Math.max(beyondEndBytes, end - position)));
      const length = await file.read(chunk, position);
      if (length === 0) return;
      position += length;
      yield chunk.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}
