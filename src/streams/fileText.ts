import { readFile } from 'node:fs/promises';

/** What reading a small text file gave. */
export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  /** It is there and can't be read; `reason` completes "the file …". */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Reads a UTF-8 file. Never rejects: that a file is not there, or not text, is an answer. */
export async function readFileText(path: string): Promise<FileText> {
  try {
    const bytes = await readFile(path);
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { kind: 'unreadable', reason: 'is not UTF-8 text' };
    if (code === 'EISDIR') return { kind: 'unreadable', reason: 'is a folder' };
    if (code === 'EACCES' || code === 'EPERM')
      return { kind: 'unreadable', reason: "may not be read by this program's user" };
    return { kind: 'unreadable', reason: `can't be read: ${message}` };
  }
}
