import type { Files, OpenFile } from './files.ts';
import { readChunks } from './readChunks.ts';

/**
 * The bytes of a file from `from` to `to`; without them all, for a file that fits into memory. A file that ends early just ends.
 * @throws the file system's errors.
 */
export async function readBytes(files: Pick<Files, 'open'>, path: string, from?: number, to?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of readChunks(files, path, from, to)) chunks.push(chunk);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** The same of an open file, whose errors it rejects with. */
export async function readRange(file: Pick<OpenFile, 'read'>, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, to - from));
  let length = 0;
  for (let read = 1; read > 0 && length < bytes.length; length += read)
    read = await file.read(bytes.subarray(length), from + length);
  return bytes.subarray(0, length);
}
