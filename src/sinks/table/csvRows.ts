/** The rows of images in the table: as text, and found again after a crash. */

import { stringify } from 'csv-stringify/sync';
import type { SegmentPosition } from '../../files/segmentedFile.ts';
import type { ResultLine } from '../../model/result.ts';
import { oneLine } from '../../model/shownText.ts';
import { columnsFit, csvCells, roisOf } from './csvColumns.ts';
import { parseCsvLine } from './parseCsvLine.ts';

export function csvText(rows: readonly (readonly (string | number | null)[])[]): string {
  return stringify(rows as (string | number | null)[][], { escape_formulas: true });
}

/** An image's rows. A cell is plain text of one line, whatever the name of an image holds. */
export function rowsText(columns: readonly string[], result: ResultLine): string {
  return csvText(
    csvCells(columns, result).map(row => row.map(cell => (typeof cell === 'string' ? oneLine(cell) : cell))),
  );
}

/** A row where it stands, with the columns of its segment. */
export interface TableRow {
  segment: number;
  offset: number;
  length: number;
  /** False: it lacks its newline. */
  terminated: boolean;
  columns: readonly string[];
  text: string;
}

/** A result whose rows may stand in the table already. */
interface Candidate {
  result: ResultLine;
  rows: string[];
}

/**
 * Which of these results stand in the table with all their rows; and where one begins that stands there in part, as the last thing that was
 * being written: null where none does.
 */
export async function findWhole(
  rows: AsyncIterable<TableRow>,
  results: readonly ResultLine[],
): Promise<{ complete: Set<ResultLine>; torn: SegmentPosition | null }> {
  const complete = new Set<ResultLine>();
  /** By the text of their first row, for the columns of the segment that is being read. */
  let candidates = new Map<string, Candidate[]>();
  let columnsRead: readonly string[] | null = null;
  let open: (Candidate & { next: number; begin: SegmentPosition }) | null = null;
  for await (const { segment, offset, terminated, columns, text: written } of rows) {
    if (columns !== columnsRead) {
      columnsRead = columns;
      candidates = candidatesFor(
        columns,
        results.filter(result => !complete.has(result)),
      );
      open = null;
    }
    if (!terminated) break;
    const text = withoutMoved(columns, written);
    if (open && text === open.rows[open.next]) open.next++;
    else {
      const candidate: Candidate | undefined = candidates.get(text)?.shift();
      open = candidate ? { ...candidate, next: 1, begin: { segment, length: offset } } : null;
    }
    if (open && open.next === open.rows.length) {
      complete.add(open.result);
      open = null;
    }
  }
  return { complete, torn: open?.begin ?? null };
}

function candidatesFor(columns: readonly string[], results: readonly ResultLine[]): Map<string, Candidate[]> {
  const candidates = new Map<string, Candidate[]>();
  for (const result of results) {
    const method = roisOf(result)[0]?.['Analysis-method'];
    if (method === undefined || !columnsFit(columns, result, method)) continue;
    const rows = rowsText(columns, result)
      .split('\n')
      .slice(0, -1)
      .map(row => withoutMoved(columns, row));
    const key = rows[0] as string;
    candidates.set(key, [...(candidates.get(key) ?? []), { result, rows }]);
  }
  return candidates;
}

/**
 * A row's cells but for the flag `moved`. It compares with the image before, which somebody may have had analysed anew
 * since the row was written: the row is the same all the same.
 */
function withoutMoved(columns: readonly string[], row: string): string {
  const flags = columns.indexOf('flags');
  return JSON.stringify(
    parseCsvLine(row).map((cell, i) =>
      i === flags
        ? cell
            .split(';')
            .filter(flag => flag !== 'moved')
            .join(';')
        : cell,
    ),
  );
}
