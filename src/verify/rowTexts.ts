import type { ResultLine, RoiFlag } from '../model/result.ts';
import { oneLine } from '../model/shownText.ts';
import { columnsFit, csvCells, roisOf } from '../sinks/table/csvColumns.ts';
import { parseCsvLine } from '../sinks/table/parseCsvLine.ts';

/** Parts the cells of a row's text; no cell holds it. */
const separator = '\u001f';
/** What marks a cell that a spreadsheet would take for a formula. */
const mark = /^'(?=[=+\-@\t\uFF1D\uFF0B\uFF0D\uFF20])/;

/** In the column `flags`: the communicator adds it, and result lines do not have it. */
const addedFlag = 'moved' satisfies RoiFlag;

/**
 * Rows as texts that are equal exactly where the rows are: made from a result, under each kind of columns that the table
 * has, or read from the table. Made here from the cells, not by the code that writes the table.
 */
export class RowTexts {
  readonly #kinds: readonly (readonly string[])[];

  /** @param kinds the different headers of the table's segments. */
  constructor(kinds: readonly (readonly string[])[]) {
    this.#kinds = kinds;
  }

  /** The rows of a result under each kind of columns that it fits. */
  ofResult(result: ResultLine): string[][] {
    const method = roisOf(result)[0]?.['Analysis-method'];
    if (method === undefined) return [];
    return this.#kinds
      .filter(columns => columnsFit(columns, result, method))
      .map(columns =>
        csvCells(columns, result).map(row =>
          textOf(
            columns,
            row.map(cell => (cell === null ? '' : String(cell))),
          ),
        ),
      );
  }

  /** A row of the table, under the columns of its segment. */
  static ofRow(columns: readonly string[], line: string): string {
    return textOf(columns, parseCsvLine(line));
  }
}

function textOf(columns: readonly string[], cells: readonly string[]): string {
  const flags = columns.indexOf('flags');
  const own = (cell: string): string =>
    cell
      .split(';')
      .filter(flag => flag !== addedFlag)
      .join(';');
  return cells.map((cell, i) => oneLine(i === flags ? own(cell) : cell).replace(mark, '')).join(separator);
}

/** The time of a row's image, from its text. */
export const timeOfRow = (text: string): string => text.slice(0, text.indexOf(separator));
