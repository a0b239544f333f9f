import { crc32 } from 'node:zlib';
import type { AnalysisMethod } from '../../model/method.ts';
import type { RoiFlag } from '../../model/result.ts';

/** The header of a segment of `results/series/`: what all its rows have in common. `docs/formats.md` tells its layout to others. */

const magic = 'phorest-series-1';
/** Bytes that tell how long the header is: the first line. */
export const firstLineBytes = 48;
/** A header is no longer: 100,000 ROIs with long names. */
const longestHeader = 64 << 20;

export const flagBits = [
  'low_signal',
  'saturated',
  'edge',
  'two_peaks',
  'moved',
  'lost',
  'pattern_changed',
] as const satisfies readonly RoiFlag[];

/** A column of values in each row, one for each ROI or sensor, for each way in which the chip moves, three of a range, or one. */
export interface SeriesColumn {
  name: string;
  of: 'roi' | 'sensor' | 'chip' | 'range' | 'row';
  type: 'f64' | 'f32' | 'u16';
  unit: string;
}

/** Long values first: each stands at a multiple of its length. */
export const columns: readonly SeriesColumn[] = [
  { name: 'position', of: 'roi', type: 'f64', unit: 'px' },
  { name: 'uncertainty', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'shift', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'shift_uncertainty', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'temperature', of: 'sensor', type: 'f32', unit: '°C' },
  { name: 'chip_shift', of: 'chip', type: 'f32', unit: 'px, px, °' },
  { name: 'flags', of: 'roi', type: 'u16', unit: '' },
];

/** What rows of the levels above the first have besides: what their means hide. */
export const levelColumns: readonly SeriesColumn[] = [
  { name: 'lasted', of: 'row', type: 'f64', unit: 'ms' },
  { name: 'low', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'median', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'high', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'all', of: 'range', type: 'f32', unit: 'px' },
];

/** What all rows of a segment have in common. */
export interface SeriesHeader {
  /** Names the segment; no other has it. */
  id: string;
  /** Local time of its first row, as there: segments that were made again later stand where they belong. Null: not known, or without rows. */
  began: number | null;
  /** Null: without rows. */
  method: AnalysisMethod | null;
  /** Hash of the reference that its shifts are measured from; null where it has none. Absent in a segment of a version that does not tell it. */
  reference?: string | null;
  labels: readonly string[];
  sensors: readonly string[];
  /** Absent in a segment of a version without. */
  chip?: readonly string[];
  columns: readonly SeriesColumn[];
  /** Of levels above the first, behind these. Absent in a segment of a version without. */
  level_columns?: readonly SeriesColumn[];
  /** Bit 0 first. */
  flags: readonly string[];
}

/** The first line says how long the header is, and has its checksum; the last byte is a newline. */
export function headerBytes(header: SeriesHeader): Buffer {
  const json = JSON.stringify(header);
  const length = Buffer.byteLength(json) + firstLineBytes;
  const text = `${json}${' '.repeat(7 - (length % 8))}\n`;
  const whole = Buffer.byteLength(text) + firstLineBytes;
  const first = `${magic} ${whole} ${crc32(text)}`.padEnd(firstLineBytes - 1);
  return Buffer.from(`${first}\n${text}`);
}

/** Length of the header of a file that begins with these bytes; null when they are no beginning of a segment. */
export function headerLength(beginning: Buffer): number | null {
  const [name, length] = beginning.toString('latin1', 0, firstLineBytes).split(' ');
  const bytes = Number(length);
  return name === magic && Number.isInteger(bytes) && bytes >= firstLineBytes && bytes <= longestHeader ? bytes : null;
}

/** @throws Error that says why these bytes are no header, completing "the file …" */
export function parseHeader(bytes: Buffer): SeriesHeader {
  const [name, length, check] = bytes.toString('latin1', 0, firstLineBytes).split(' ');
  if (name !== magic) throw new Error('does not begin as a segment of the series');
  if (bytes.length !== Number(length)) throw new Error('ends within its header');
  const text = bytes.subarray(firstLineBytes);
  if (crc32(text) !== Number(check)) throw new Error('has a damaged header: its checksum is wrong');
  return JSON.parse(text.toString()) as SeriesHeader;
}
