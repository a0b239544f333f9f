import { crc32 } from 'node:zlib';
import { parseIso } from '../model/localTime.ts';
import type { ResultLine, RoiFlag } from '../model/result.ts';
import { roisOf } from '../sinks/table/csvColumns.ts';
import { bytes, doubles } from './column.ts';
import type { RowsDue } from './reportLedger.ts';

const dues = ['unknown', 'optional', 'required', 'forbidden'] as const;

/** What the rows of the series must say: of each entry a checksum of its counting result, 10 bytes. */
export class SeriesLedger {
  readonly #check = doubles();
  readonly #due = bytes();
  readonly #seen = bytes();

  add(entry: number, due: RowsDue, line: ResultLine): void {
    this.#check.set(entry, checkOfLine(line));
    this.#due.set(entry, dues.indexOf(due));
  }

  due(entry: number): (typeof dues)[number] {
    return dues[this.#due.get(entry)]!;
  }

  check(entry: number): number {
    return this.#check.get(entry);
  }

  /** Says how often it was seen with this time. */
  see(entry: number): number {
    const seen = Math.min(255, this.#seen.get(entry) + 1);
    this.#seen.set(entry, seen);
    return seen;
  }

  seen(entry: number): number {
    return this.#seen.get(entry);
  }
}

/** Compares with the image before, which the result does not know. */
const addedFlag = 'moved' satisfies RoiFlag;

/** A ROI adds the same wherever it stands; one that is not there adds nothing. */
export function checkOfRoi(
  label: string,
  values: readonly [position: number, uncertainty: number, shift: number, shiftUncertainty: number],
  flags: readonly string[],
): number {
  const [position, ...small] = values;
  const own = flags.filter(flag => flag !== addedFlag);
  if (values.every(value => Number.isNaN(value)) && own.length === 0) return 0;
  return crc32(`${label}\0${position}\0${small.map(Math.fround).join()}\0${own.sort().join()}`);
}

function checkOfLine(line: ResultLine): number {
  const time = line.image_timestamp ?? line.manifest_entry_timestamp;
  let sum = checkOfTime(parseIso(/(?:Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`));
  for (const roi of roisOf(line)) {
    const { position, uncertainty, shift, shift_uncertainty: shiftUncertainty } = roi;
    const number = (value: number | null | undefined): number => value ?? Number.NaN;
    const values = [number(position), number(uncertainty), number(shift), number(shiftUncertainty)] as const;
    sum += checkOfRoi(roi['ROI-label'], values, roi.flags);
  }
  return sum;
}

export const checkOfTime = (time: number): number => crc32(`${time}`);
