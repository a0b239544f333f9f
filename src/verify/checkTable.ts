import { SegmentedFile } from '../files/segmentedFile.ts';
import { splitLines } from '../files/splitLines.ts';
import { counted } from '../model/quantity.ts';
import type { Inspection } from './inspection.ts';
import type { RowsDue } from './reportLedger.ts';
import { RowTexts, timeOfRow } from './rowTexts.ts';
import { readHeaders } from './tableColumns.ts';

/** The table of an experiment: which segments, and the columns of each. */
export interface Table {
  file: SegmentedFile;
  /** Columns by segment; of those only that this program wrote. */
  columns: ReadonlyMap<number, readonly string[]>;
}

/**
 * Reads the headers. Segments of the Python system, which have no position, are noted and left out; one that another program has
 * saved, or that has no header, is not what was written, whatever it holds.
 */
export async function openTable(inspection: Inspection): Promise<Table> {
  const { files, paths } = inspection.options;
  const file = new SegmentedFile(files, paths.results, 'communicating_results', 'csv');
  const { own, saved, python, foreign } = await readHeaders(file);
  for (const segment of python)
    inspection.note(`${file.path(segment)} is a table of the Python system, and is not looked at`);
  const sayChanged = (segment: number, what: string): void => {
    inspection.report('changed_table', file.path(segment), `${what}: its rows are not compared`);
    inspection.repairs.table = true;
    inspection.changedTable.add(file.path(segment));
  };
  for (const segment of saved.keys())
    sayChanged(
      segment,
      'another program has saved it (byte order mark, CRLF, another separator, or lines above the header)',
    );
  for (const [segment, first] of foreign)
    sayChanged(
      segment,
      `the header is missing (it was removed, or another program has written the file): it begins with ${JSON.stringify(first.slice(0, shownBytes))}`,
    );
  return { file, columns: own };
}

/** Of a line that is shown. */
const shownBytes = 40;

/** A row, and where it stands. */
interface Row {
  text: string;
  segment: number;
  offset: number;
}

/**
 * Reads the table once and looks for each image's rows: that they stand together, that each result that was reported has
 * them once, and that no others are there.
 */
export async function checkTable(inspection: Inspection, { file, columns }: Table): Promise<void> {
  const found = new FoundRows(inspection, file);
  for (const [segment, names] of columns) {
    let isHeader = true;
    for await (const { offset, bytes, terminated } of splitLines(file.read(segment))) {
      if (!terminated) break;
      if (!isHeader) found.take({ text: RowTexts.ofRow(names, bytes?.toString() ?? ''), segment, offset });
      isHeader = false;
    }
    // An image's rows are never split between segments.
    found.end();
  }
  checkUnseen(inspection);
}

const preference: readonly RowsDue[] = ['required', 'optional', 'forbidden'];

/** Rows as they come, put together to images. */
class FoundRows {
  readonly #inspection: Inspection;
  readonly #file: SegmentedFile;
  /** Rows that may be the beginning of an image, and the results that begin like it. */
  #open: Row[] = [];
  #candidates: ReturnType<Inspection['reports']['beginningWith']> = [];
  /** Rows that belong to nothing, as far as they stand together. */
  #strays: { first: Row; count: number } | null = null;

  constructor(inspection: Inspection, file: SegmentedFile) {
    this.#inspection = inspection;
    this.#file = file;
  }

  take(row: Row): void {
    this.#inspection.tally.rows++;
    this.#add(row);
  }

  /** Nothing follows in this segment. */
  end(): void {
    // What a dead communicator has left in part is taken back by the next one.
    const { ledger, reports } = this.#inspection;
    const isLeft = this.#candidates.some(({ report }) => ledger.isLeft(reports.entry(report)));
    if (isLeft) this.#open = [];
    while (this.#open.length > 0) this.#giveUpFirst();
    this.#reportStrays();
  }

  #add(row: Row): void {
    const { reports } = this.#inspection;
    this.#open.push(row);
    const count = this.#open.length;
    if (count === 1) this.#candidates = reports.beginningWith(row.text);
    const whole = this.#candidates.filter(({ rows }) => rows === count);
    const texts = whole.length > 0 ? this.#open.map(({ text }) => text) : [];
    const [match] = whole
      .filter(({ matches }) => matches(texts))
      .sort((a, b) => reports.seen(a.report) - reports.seen(b.report) || this.#rank(a.report) - this.#rank(b.report));
    if (match) {
      this.#reportStrays();
      this.#see(match.report, this.#open[0]!);
      this.#open = [];
    } else if (!this.#candidates.some(({ rows }) => rows > count)) this.#giveUpFirst();
  }

  /** An image that is analysed twice may give the same rows: then those are meant that must be there, and not those that must not. */
  #rank(report: number): number {
    return preference.indexOf(this.#inspection.reports.due(report));
  }

  /** The first open row begins nothing; those behind it still may. */
  #giveUpFirst(): void {
    const [first, ...others] = this.#open;
    this.#open = [];
    this.#candidates = [];
    if (!this.#isInMotion(first!) && !this.#inspection.keptTimes.has(timeOfRow(first!.text))) {
      this.#strays ??= { first: first!, count: 0 };
      this.#strays.count++;
    }
    for (const row of others) this.#add(row);
  }

  #see(report: number, first: Row): void {
    const { reports, ledger, repairs } = this.#inspection;
    const times = reports.see(report);
    const entry = reports.entry(report);
    const isEarly = reports.due(report) === 'forbidden';
    if ((times === 1 && !isEarly) || this.#isInMotion(first)) return;
    const what =
      isEarly && entry < 0
        ? 'the rows of a result that no entry names are there; its image has another entry, or is not known'
        : isEarly
          ? 'its rows are there, but the manifest says that they are still to be written'
          : `its rows are there ${times} times`;
    const id = entry < 0 ? undefined : ledger.id(entry);
    this.#inspection.report('duplicate_rows', this.#file.path(first.segment), `byte ${first.offset}: ${what}`, id);
    repairs.table = true;
  }

  #reportStrays(): void {
    if (!this.#strays) return;
    const { first, count } = this.#strays;
    this.#strays = null;
    this.#inspection.report(
      'unknown_rows',
      this.#file.path(first.segment),
      `${counted(count, 'row')} from byte ${first.offset} on ${count === 1 ? 'belongs' : 'belong'} to no result`,
    );
    this.#inspection.repairs.table = true;
  }

  #isInMotion({ segment, offset }: Row): boolean {
    const { isRunning, ends } = this.#inspection;
    return (
      isRunning && (segment > ends.table.segment || (segment === ends.table.segment && offset >= ends.table.length))
    );
  }
}

function checkUnseen(inspection: Inspection): void {
  const { reports, ledger, repairs, options } = inspection;
  // They may stand in what was not compared.
  if (inspection.changedTable.size > 0) return;
  for (let report = 0; report < reports.size; report++) {
    if (reports.due(report) !== 'required' || reports.seen(report) > 0) continue;
    inspection.report(
      'missing_rows',
      options.paths.csvFile,
      'the manifest says that it was reported, but its rows are not there as the result has them',
      ledger.id(reports.entry(report)),
    );
    repairs.table = true;
  }
}
