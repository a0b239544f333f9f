import type { SegmentedFile } from '../files/segmentedFile.ts';
import { splitLines } from '../files/splitLines.ts';
import { parseCsvLine } from '../sinks/table/parseCsvLine.ts';

const ownColumns = ['position', 'uncertainty', 'flags'];
const byteOrderMark = '\uFEFF';

/** How the segments of a table begin. */
export interface Headers {
  /** Columns of the segments that this program wrote, and nobody else. */
  own: Map<number, readonly string[]>;
  /** Columns of those that it wrote and another program (a spreadsheet) has saved since. */
  saved: Map<number, readonly string[]>;
  /** Those of the Python system, or of somebody else. */
  foreign: Set<number>;
}

export async function readHeaders(file: SegmentedFile): Promise<Headers> {
  const headers: Headers = { own: new Map(), saved: new Map(), foreign: new Set() };
  for (const segment of await file.segments()) {
    for await (const { bytes, terminated } of splitLines(file.read(segment))) {
      const text = bytes?.toString() ?? '';
      const columns = parseCsvLine(text);
      const cells = savedCells(text);
      if (ownColumns.every(name => columns.includes(name)) && !text.endsWith('\r') && !text.startsWith(byteOrderMark)) {
        if (terminated) headers.own.set(segment, columns);
      } else if (ownColumns.every(name => cells.includes(name))) headers.saved.set(segment, cells);
      else if (terminated) headers.foreign.add(segment);
      break;
    }
  }
  return headers;
}

/** The columns of a table's segments that this program wrote. */
export async function tableColumns(file: SegmentedFile): Promise<Map<number, readonly string[]>> {
  return (await readHeaders(file)).own;
}

/** The cells of a line as spreadsheets save it: with a byte order mark, CRLF, semicolons or tabs. */
export function savedCells(line: string): string[] {
  const text = line.replace(byteOrderMark, '').replace(/\r$/, '');
  const separator = [',', ';', '\t'].reduce((best, one) => (count(text, one) > count(text, best) ? one : best));
  if (separator === ',') return parseCsvLine(text);
  // Flags may be parted by semicolons too: then they are in quotes.
  return text
    .match(new RegExp(`("(?:[^"]|"")*"|[^${separator}]*)(?:${separator}|$)`, 'g'))!
    .slice(0, -1)
    .map(cell =>
      cell
        .replace(new RegExp(`${separator}$`), '')
        .replace(/^"([\s\S]*)"$/, '$1')
        .replaceAll('""', '"'),
    );
}

const count = (text: string, part: string): number => text.split(part).length - 1;

/** The different kinds of columns. */
export function columnKinds(columns: ReadonlyMap<number, readonly string[]>): (readonly string[])[] {
  return [...new Map([...columns.values()].map(names => [names.join(), names])).values()];
}
