import {
  appendDurably,
  endOfLines,
  isAsLongAsCanBe,
  ShorterFileError,
  trimTornTail,
} from '../../files/appendDurably.ts';
import { makeFolder, removeFile, syncGrown } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { comparePositions, SegmentedFile, type SegmentPosition } from '../../files/segmentedFile.ts';
import { splitLines } from '../../files/splitLines.ts';
import type { ResultLine } from '../../model/result.ts';
import { columnsFit, csvColumns, hasFilename, roisOf } from './csvColumns.ts';
import { csvText, findWhole, rowsText, type TableRow } from './csvRows.ts';
import { parseCsvLine } from './parseCsvLine.ts';

/** Rows are composed and written in pieces of about so many bytes. */
const pieceBytes = 8 << 20;

export interface CsvOptions {
  /** `results_dir`. Made when it is not there. */
  folder: string;
  files: Files;
  /** A segment is closed before an image's rows would make it longer than this, bytes. */
  segmentBytes?: number;
  /** Names of the configured sensors: each has its column in every new segment, also before its first reading. */
  sensors?: readonly string[];
  /** Told that somebody else has moved away, shortened or saved the table since it was written last, and what is done. */
  onChanged?: (message: string) => void;
}

/**
 * `communicating_results.csv` and its further segments: a header, then one row an image and ROI.
 *
 * One process writes it, one call at a time (the communicator is an exclusive stage). `append` takes all rows of a batch or
 * none: what a failure left of it is cut off again, at once or before the next append. What a crash left of it is found by
 * `recover`. An image's rows are never split between segments. Another method or a new sensor means other columns, and
 * those start a segment of their own; a sensor that fell silent does not.
 *
 * A text cell that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, tab or return) gets a leading
 * `'`, as OWASP advises; labels come from files that others wrote. Numbers stay numbers, negative ones too.
 */
export interface Csv {
  /** Durable when it resolves. Images that failed have no rows. @throws Node's error; the batch may be tried again. */
  append(results: readonly ResultLine[]): Promise<void>;
  /** The end of what is written; rows appended from now on stand behind it. */
  position(): SegmentPosition;
  /**
   * After a crash: which of these results stand behind `from` with all their rows already. What stands there of one in
   * part is cut off. Rows of others are left alone: they may be settled.
   */
  recover(from: SegmentPosition, results: readonly ResultLine[]): Promise<ReadonlySet<ResultLine>>;
}

/** Opens the table of a results folder; see {@link Csv}. @throws Node's error when it can't be read. */
export async function openCsv(options: CsvOptions): Promise<Csv> {
  const { folder, files, segmentBytes = 1 << 30, sensors = [], onChanged } = options;
  await makeFolder(files, folder);
  const table = new SegmentedFile(files, folder, 'communicating_results', 'csv');
  let end = await endOfTable();
  let columns = await columnsOf(end.segment);
  /** Bytes of the segment that is written to, as it was left; more than `end` where a crash has torn the last row. */
  let size = (await table.current()).length;
  /** Where the table has to be cut back to before anything else, after a failure that could not be undone at once. */
  let cutFirst: SegmentPosition | null = null;
  /** Segments whose name is durable. */
  let namedSegment = -1;

  /** The last whole row; a torn one behind it was never acknowledged, and goes with the next append. */
  async function endOfTable(): Promise<SegmentPosition> {
    const { segment, length } = await table.current();
    if (length === 0) return { segment, length };
    const file = await files.open(table.path(segment), 'r');
    try {
      return { segment, length: await endOfLines(file, length) };
    } finally {
      await file.close();
    }
  }

  /** Others may move the table away, or save it, while it is open here: what stands there now counts. */
  async function checkAgain(): Promise<void> {
    table.forget();
    const there = await table.current();
    if (there.segment === end.segment && there.length === size) return;
    const path = table.path(end.segment);
    const found = (await files.stat(path))?.size ?? null;
    onChanged?.(
      found === null || found < size
        ? `${path} was moved away or shortened while it is written: ${size} bytes were there, ${found ?? 'nothing'} is now. ` +
            "The table goes on with a new header where there is none. 'phorest verify --repair' writes what is missing anew from the results"
        : `${path} was changed by another program while it is written: ${size} bytes were there, ${found} are now. What that program ` +
            "has written stays; 'phorest verify' says what is wrong in it",
    );
    size = there.length;
    end = await endOfTable();
    columns = await columnsOf(end.segment);
    namedSegment = -1;
  }

  async function columnsOf(segment: number): Promise<string[] | null> {
    if (segment === end.segment && end.length === 0) return null;
    for await (const { bytes, terminated } of splitLines(table.read(segment))) {
      return terminated && bytes ? parseCsvLine(bytes.toString()) : null;
    }
    return null;
  }

  /** An editor that leaves the newline at the end out takes nothing away: the last cell is the image's name. */
  function isWholeRow(tail: Buffer): boolean {
    if (columns === null || !hasFilename(columns)) return false;
    const cells = parseCsvLine(tail.toString());
    return cells.length === columns.length && /\.[A-Za-z]{2,4}(?:\.gz|\.zst)?$/.test(cells.at(-1) ?? '');
  }

  async function cutBack(to: SegmentPosition): Promise<void> {
    cutFirst = to;
    for (const segment of (await table.segments()).reverse()) {
      if (segment > to.segment) await removeFile(files, table.path(segment));
    }
    const path = table.path(to.segment);
    const stat = await files.stat(path);
    if (stat && stat.size > to.length) {
      const file = await files.open(path, 'r+');
      try {
        await file.truncate(to.length);
        await syncGrown(files, path, file);
      } finally {
        await file.close();
      }
    }
    await files.syncFolder(folder);
    table.forget();
    end = to;
    size = to.length;
    columns = stat ? await columnsOf(to.segment) : null;
    cutFirst = null;
  }

  async function write(text: string, into: number): Promise<void> {
    const data = Buffer.from(text);
    const path = table.path(into);
    const { offset, length } = await appendDurably(files, path, data, {
      keep: 'nothing',
      folder: into === namedSegment ? null : folder,
      isWhole: isWholeRow,
      least: into === end.segment ? end.length : 0,
    });
    namedSegment = into;
    end = { segment: into, length: offset + length };
    size = end.length;
  }

  async function appendAll(results: readonly ResultLine[]): Promise<void> {
    let { segment, length } = end;
    let piece = '';
    let pieceLength = 0;
    const put = async (): Promise<void> => {
      if (piece === '') return;
      try {
        await write(piece, segment);
      } catch (error) {
        if (length === 0 || !isAsLongAsCanBe(error)) throw error;
        await trimTornTail(files, table.path(segment), isWholeRow);
        segment++;
        await write(csvText([columns as string[]]) + piece, segment);
      }
      length = end.length;
      piece = '';
      pieceLength = 0;
    };
    for (const result of results) {
      const method = roisOf(result)[0]?.['Analysis-method'];
      if (method === undefined) continue;
      const fits = columns !== null && hasFilename(columns) && columnsFit(columns, result, method);
      let rows = fits ? rowsText(columns as string[], result) : '';
      let header = '';
      if (!fits || length + pieceLength + Buffer.byteLength(rows) > segmentBytes) {
        await put();
        if (length > 0) {
          // What another program has written stays as it is, to the last byte.
          if (columns?.includes('flags')) await trimTornTail(files, table.path(segment), isWholeRow);
          segment++;
        }
        length = 0;
        if (!fits) {
          columns = csvColumns(method, [...sensors, ...Object.keys(result.temperature_readings ?? {})]);
          rows = rowsText(columns, result);
        }
        header = csvText([columns as string[]]);
      }
      piece += header + rows;
      pieceLength = Buffer.byteLength(piece);
      if (pieceLength >= pieceBytes) await put();
    }
    await put();
  }

  /** Rows of the table with where they stand, and the columns above them. */
  async function* rawRows(from: SegmentPosition): AsyncGenerator<TableRow> {
    for (const segment of await table.segments()) {
      if (segment < from.segment) continue;
      const header = await columnsOf(segment);
      if (header === null) continue;
      let skip = segment > from.segment || from.length === 0;
      const start = segment === from.segment ? from.length : 0;
      for await (const { offset, length, bytes, terminated } of splitLines(table.read(segment, start), start)) {
        if (skip) {
          skip = false;
          continue;
        }
        yield { segment, offset, length, terminated, columns: header, text: bytes?.toString() ?? '' };
      }
    }
  }

  return {
    async append(results) {
      for (;;) {
        if (cutFirst) await cutBack(cutFirst);
        await checkAgain();
        const base = end;
        try {
          return await appendAll(results);
        } catch (error) {
          cutFirst = base;
          if (error instanceof ShorterFileError) continue;
          // What can't be cut now is cut before the next append; the caller hears of the first error.
          await cutBack(base).catch(() => undefined);
          throw error;
        }
      }
    },

    position: () => ({ ...(cutFirst ?? end) }),

    async recover(given, results) {
      const from = comparePositions(given, end) > 0 ? { segment: end.segment, length: 0 } : given;
      const { complete, torn } = await findWhole(rawRows(from), results);
      // Only the last thing that was being written can stand there in part.
      if (torn) await cutBack(torn);
      else {
        end = await endOfTable();
        size = (await table.current()).length;
      }
      for (const result of results) if (roisOf(result).length === 0) complete.add(result);
      return complete;
    },
  };
}
