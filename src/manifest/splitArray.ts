const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * Cuts the objects of a JSON array out of a stream of its bytes, in bounded memory and whatever its size: a manifest of
 * a million entries is longer than a string may be. Works on any formatting, Python's indented one too.
 *
 * Yields the text of each top-level object. Bytes are scanned, not characters: all that matters to the structure is
 * ASCII, and no byte of a longer UTF-8 sequence looks like ASCII.
 *
 * @returns whether the array was closed; a truncated file gives all its whole objects and then false.
 * @throws SyntaxError when the text is not an array of objects.
 */
export async function* splitArray(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, boolean> {
  let pending: Buffer[] = [];
  let depth = 0;
  let inString = false;
  let escaped = false;
  let opened = false;
  let closed = false;
  let offset = 0;

  for await (const chunk of chunks) {
    let begin = depth > 0 ? 0 : -1;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
        continue;
      }
      if (depth > 0) {
        if (byte === quote) inString = true;
        else if (byte === openBrace || byte === openBracket) depth++;
        else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) {
          pending.push(chunk.subarray(begin, i + 1));
          yield (pending.length === 1 ? pending[0]! : Buffer.concat(pending)).toString('utf8');
          pending = [];
          begin = -1;
        }
        continue;
      }
      if (byte <= 0x20 || (byte === 0x2c && opened && !closed)) continue;
      // A byte order mark, as Windows editors write it.
      if (!opened && offset + i < 3 && (byte === 0xef || byte === 0xbb || byte === 0xbf)) continue;
      if (byte === openBracket && !opened) opened = true;
      else if (byte === closeBracket && opened && !closed) closed = true;
      else if (byte === openBrace && opened && !closed) {
        depth = 1;
        begin = i;
      } else {
        throw new SyntaxError(
          `unexpected ${JSON.stringify(String.fromCharCode(byte))} at byte ${offset + i}; an array of objects is expected`,
        );
      }
    }
    if (begin >= 0) pending.push(Buffer.from(chunk.subarray(begin)));
    offset += chunk.length;
  }
  return closed;
}
