import type { SegmentedFile } from '../files/segmentedFile.ts';
import { splitLines } from '../files/splitLines.ts';
import { parseCsvLine } from '../sinks/table/parseCsvLine.ts';

const ownColumns = ['position', 'uncertainty', 'flags'];
/** Its table has these, and none of ours. */
const pythonColumns = ['timestamp', 'ROI-label'];
const byteOrderMark = '\uFEFF';

/** A program that saves the table may put lines of its own above the header (`sep=;`, a note): so many are looked at. */
const headerLines = 3;

/** How the segments of a table begin. */
export interface Headers {
  /** Columns of the segments that this program wrote, and nobody else. */
  own: Map<number, readonly string[]>;
  /** Columns of those that it wrote and another program (a spreadsheet) has saved since. */
  saved: Map<number, readonly string[]>;
  /** Those of the Python system: its rows are of no result of ours. */
  python: Set<number>;
  /** All others, by what stands in place of the header: the header was removed, or another program has written the file. */
  foreign: Map<number, string>;
}

export async function readHeaders(file: SegmentedFile): Promise<Headers> {
  const headers: Headers = { own: new Map(), saved: new Map(), python: new Set(), foreign: new Map() };
  for (const segment of await file.segments()) {
    let first: string | null = null;
    let lines = 0;
    for await (const { bytes, terminated } of splitLines(file.read(segment))) {
      const text = bytes?.toString() ?? '';
      const isFirst = lines++ === 0;
      if (isFirst) {
        const columns = parseCsvLine(text);
        if (has(columns, ownColumns) && !text.endsWith('\r') && !text.startsWith(byteOrderMark)) {
          if (terminated) headers.own.set(segment, columns);
          break;
        }
        // A kill has left a part of the first header: there is nothing in it yet.
        if (!terminated && text.startsWith(pythonColumns[0]!)) break;
        first = text;
      }
      const cells = savedCells(text);
      if (has(cells, ownColumns)) headers.saved.set(segment, cells);
      else if (isFirst && has(cells, pythonColumns) && !ownColumns.some(name => cells.includes(name)))
        headers.python.add(segment);
      else if (lines < headerLines) continue;
      break;
    }
    const isKnown = headers.own.has(segment) || headers.saved.has(segment) || headers.python.has(segment);
    if (first !== null && !isKnown) headers.foreign.set(segment, first);
  }
  return headers;
}

const has = (cells: readonly string[], names: readonly string[]): boolean => names.every(name => cells.includes(name));

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
