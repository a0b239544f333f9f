const newline = 0x0a;

/**
 * Longest line that is held in memory, bytes; a result line with every row's values of 644 ROIs is about 30 MB. To parse it takes several
 * times as much.
 */
const longestLine = 128 << 20;

export interface TextLine {
  /** Bytes from the start of the file. */
  offset: number;
  /** Bytes with the newline. */
  length: number;
  /** Without the newline; null when it is longer than {@link longestLine}. */
  bytes: Buffer | null;
  /** False for a last line without newline: still being written, or torn. */
  terminated: boolean;
}

/**
 * Cuts chunks of a file into lines; one line is in memory at a time.
 * @param offset where the first chunk begins in the file.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>, offset = 0): AsyncGenerator<TextLine> {
  let parts: Buffer[] = [];
  let length = 0;
  const take = (terminated: boolean): TextLine => {
    const bytes = length > longestLine ? null : parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    const line = { offset, length: length + (terminated ? 1 : 0), bytes, terminated };
    offset += line.length;
    parts = [];
    length = 0;
    return line;
  };
  const add = (part: Buffer): void => {
    length += part.length;
    if (length > longestLine) parts = [];
    else parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, at));
      yield take(true);
      start = at + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (length > 0) yield take(false);
}
