import type { Files, OpenFile } from '../../files/files.ts';
import { readRange } from '../../files/readBytes.ts';

const newline = 0x0a;
/** A line longer than this is none that anybody wants to chart, bytes: passed over. */
const longestLine = 48 << 20;

/** One line of a file, with its newline. */
export interface FileLine {
  offset: number;
  bytes: Buffer;
}

/**
 * The first whole line that begins at or behind a byte and ends before `to`; null when there is none.
 * @param guess about how long lines are, bytes: one reading takes in so much and a half.
 * Errors are those of the file system.
 */
export async function lineBehind(
  files: Files,
  path: string,
  offset: number,
  to: number,
  guess: number,
): Promise<FileLine | null> {
  // The byte before tells whether a line begins right there.
  const from = Math.max(0, offset - 1);
  return withFile(files, path, async file => {
    for (let length = Math.ceil(guess * 1.5) + 4096; ; length *= 2) {
      const bytes = await readRange(file, from, Math.min(to, from + length));
      const start = offset === 0 ? 0 : bytes.indexOf(newline) + 1;
      const end = start > 0 || offset === 0 ? bytes.indexOf(newline, start) : -1;
      if (end >= 0) return { offset: from + start, bytes: bytes.subarray(start, end + 1) };
      if (bytes.length < length || length > longestLine) return null;
    }
  });
}

/**
 * The last whole lines between two bytes, oldest first, and the byte behind the last of them.
 * @param from where a line begins; what stands before it is not looked at.
 * @param count at most so many; fewer when they are very long.
 */
export async function lastLines(
  files: Files,
  path: string,
  { from, to }: { from: number; to: number },
  count: number,
  guess: number,
): Promise<{ lines: FileLine[]; end: number }> {
  return withFile(files, path, async file => {
    for (let length = Math.ceil(guess * (count + 0.5)) + 4096; ; length *= 2) {
      const begin = Math.max(from, to - length);
      const bytes = await readRange(file, begin, to);
      const lines: FileLine[] = [];
      const last = bytes.lastIndexOf(newline);
      let stop = last;
      while (stop >= 0 && lines.length < count) {
        const before = stop === 0 ? -1 : bytes.lastIndexOf(newline, stop - 1);
        if (before < 0 && begin > from) break;
        lines.unshift({ offset: begin + before + 1, bytes: bytes.subarray(before + 1, stop + 1) });
        stop = before;
      }
      if (lines.length === count || begin === from || length > longestLine) {
        return { lines, end: last < 0 ? from : begin + last + 1 };
      }
    }
  });
}

async function withFile<T>(files: Files, path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await files.open(path, 'r');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
