import { type FileHandle, open, stat } from 'node:fs/promises';
import { openItself } from '../../files/files.ts';

/** What reading a small text file gave. */
export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  /** It is there and can't be read; `reason` completes "the file …". `at`: where in it, from 1. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly at?: { line: number; column: number } };

/** A configuration has some thousand bytes, a ROI manifest of all ROIs that are taken some ten million. */
const largestTextBytes = 1 << 26;

/**
 * Reads a UTF-8 file that its owner may have put behind a link: a configuration, a ROI manifest. Never rejects: that a file is not there,
 * or not text, is an answer.
 */
export function readFileText(path: string): Promise<FileText> {
  return textFrom(async () => {
    const found = await stat(path);
    // A device or a pipe may never end.
    return found.isFile() || found.isDirectory() ? open(path) : null;
  });
}

/** The same of a file that the program keeps for itself: what a link of that name leads to is not its own, and is not read. */
export function readOwnText(path: string): Promise<FileText> {
  return textFrom(() => openItself(path, 'r'));
}

async function textFrom(opening: () => Promise<FileHandle | null>): Promise<FileText> {
  try {
    await using file = await opening();
    if (file === null) return { kind: 'unreadable', reason: 'is a device or a pipe' };
    const { size } = await file.stat();
    if (size > largestTextBytes) {
      return { kind: 'unreadable', reason: `has ${size} bytes; up to ${largestTextBytes} are read` };
    }
    return textOf(await file.readFile());
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    if (code === 'ELOOP')
      return { kind: 'unreadable', reason: 'is a link, where a file of its own belongs: remove it' };
    if (code === 'EFTYPE') return { kind: 'unreadable', reason: 'is a device or a pipe' };
    if (code === 'EISDIR') return { kind: 'unreadable', reason: 'is a folder' };
    if (code === 'EACCES' || code === 'EPERM')
      return { kind: 'unreadable', reason: "may not be read by this program's user" };
    return { kind: 'unreadable', reason: `can't be read: ${message}` };
  }
}

/** Bytes as text, or what they are instead. */
export function textOf(bytes: Buffer): FileText {
  if (bytes.length > 0 && bytes.every(byte => byte === 0)) {
    return { kind: 'unreadable', reason: 'holds nothing but zeros, as after a power cut: put a copy of it back' };
  }
  const text = bytes.toString('utf8');
  const zero = bytes.indexOf(0);
  // Every other byte of plain letters is 0 in UTF-16.
  if (/^(\xff\xfe|\xfe\xff)/.test(bytes.toString('latin1', 0, 2)) || (zero >= 0 && zero < 2)) {
    return { kind: 'unreadable', reason: 'is UTF-16 text, and must be UTF-8: save it again with that encoding' };
  }
  const again = Buffer.from(text);
  if (again.equals(bytes)) return { kind: 'text', text };
  const wrong = bytes.findIndex((byte, i) => byte !== again[i]);
  const before = bytes.toString('utf8', 0, wrong).replace(/^\ufeff/, '');
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  const byte = bytes[wrong] as number;
  const windows = new TextDecoder('windows-1252').decode(Uint8Array.of(byte));
  const hex = byte.toString(16).toUpperCase().padStart(2, '0');
  return {
    kind: 'unreadable',
    reason: `is not UTF-8 text: the byte ${hex} stands in it, which is ${windows} in Windows-1252; save it again as UTF-8`,
    at: { line, column },
  };
}
