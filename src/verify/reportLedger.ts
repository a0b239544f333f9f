import { hash } from 'node:crypto';
import { IdTable } from '../manifest/idTable.ts';
import { bytes, doubles, integers } from './column.ts';

/**
 * How the rows of a result stand to the table: `required` when the manifest says that they were reported; `forbidden` when
 * it says that they were not, so that they would come once more; `optional` for what is in motion, and for an earlier
 * analysis of an image that was set back.
 */
export type RowsDue = 'optional' | 'required' | 'forbidden';

const dues = ['optional', 'required', 'forbidden'] as const satisfies RowsDue[];

/**
 * The rows that results would give, known by hashes: about 120 bytes a result, however many ROIs it has. A report has a
 * variant for each kind of columns in the table under which its rows could stand.
 */
export class ReportLedger {
  readonly #firstRows = new IdTable();
  /** By first row: number of the newest variant + 1; by variant: of the one before it that begins the same. */
  readonly #newest = integers();
  readonly #before = integers();
  readonly #report = integers();
  readonly #whole = doubles();
  readonly #count = integers();
  readonly #entry = integers();
  readonly #due = bytes();
  readonly #seen = bytes();
  #variants = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param variants the texts of all rows, under each kind of columns that fits. */
  add(entry: number, due: RowsDue, variants: readonly (readonly string[])[]): number {
    const report = this.#size++;
    this.#entry.set(report, entry);
    this.#due.set(report, dues.indexOf(due));
    for (const rows of variants) {
      const first = this.#firstRows.add(firstKey(rows[0]!));
      const variant = this.#variants++;
      this.#before.set(variant, this.#newest.get(first));
      this.#newest.set(first, variant + 1);
      this.#report.set(variant, report);
      this.#whole.set(variant, wholeKey(rows));
      this.#count.set(variant, rows.length);
    }
    return report;
  }

  /** Its rows must not be there. */
  forbid(report: number): void {
    this.#due.set(report, dues.indexOf('forbidden'));
  }

  /** Reports that begin with a row, the oldest first. */
  beginningWith(row: string): { report: number; rows: number; matches: (rows: readonly string[]) => boolean }[] {
    const first = this.#firstRows.find(firstKey(row));
    const found = [];
    for (let variant = first < 0 ? 0 : this.#newest.get(first); variant > 0; variant = this.#before.get(variant - 1)) {
      const whole = this.#whole.get(variant - 1);
      found.push({
        report: this.#report.get(variant - 1),
        rows: this.#count.get(variant - 1),
        matches: (rows: readonly string[]) => wholeKey(rows) === whole,
      });
    }
    return found.reverse();
  }

  entry(report: number): number {
    return this.#entry.get(report);
  }

  due(report: number): RowsDue {
    return dues[this.#due.get(report)]!;
  }

  /** Its rows were found in the table; says how often they have been. */
  see(report: number): number {
    const seen = Math.min(255, this.#seen.get(report) + 1);
    this.#seen.set(report, seen);
    return seen;
  }

  seen(report: number): number {
    return this.#seen.get(report);
  }
}

/** 13 hexadecimal digits are 52 bits, which a number holds exactly. */
const keyDigits = 13;

const firstKey = (row: string): string => hash('md5', row, 'hex').slice(0, keyDigits);

const wholeKey = (rows: readonly string[]): number =>
  Number.parseInt(hash('md5', rows.join('\n'), 'hex').slice(0, keyDigits), 16);
