import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { localTimesInOrder, parseIso } from '../../model/localTime.ts';
import { medianOf } from '../../model/median.ts';
import type { AnalysisMethod } from '../../model/method.ts';
import type { ResultLine, RoiFlag } from '../../model/result.ts';
import { roisOf } from '../table/csvColumns.ts';

/** The layout of `results/series/`; `docs/formats.md` tells it to others. */

const magic = 'phorest-series-1';
/** So many rows make one of the next level. */
export const fan = 4;

const flagBits = [
  'low_signal',
  'saturated',
  'edge',
  'two_peaks',
  'moved',
  'lost',
  'pattern_changed',
] as const satisfies readonly RoiFlag[];

/** A column of values in each row, one for each ROI or sensor, for each way in which the chip moves, three of a range, or one. */
interface SeriesColumn {
  name: string;
  of: 'roi' | 'sensor' | 'chip' | 'range' | 'row';
  type: 'f64' | 'f32' | 'u16';
  unit: string;
}

/** Long values first: each stands at a multiple of its length. */
const columns: readonly SeriesColumn[] = [
  { name: 'position', of: 'roi', type: 'f64', unit: 'px' },
  { name: 'uncertainty', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'shift', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'shift_uncertainty', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'temperature', of: 'sensor', type: 'f32', unit: '°C' },
  { name: 'chip_shift', of: 'chip', type: 'f32', unit: 'px, px, °' },
  { name: 'flags', of: 'roi', type: 'u16', unit: '' },
];

/** What rows of the levels above the first have besides: what their means hide. */
const levelColumns: readonly SeriesColumn[] = [
  { name: 'lasted', of: 'row', type: 'f64', unit: 'ms' },
  { name: 'low', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'median', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'high', of: 'roi', type: 'f32', unit: 'px' },
  { name: 'all', of: 'range', type: 'f32', unit: 'px' },
];

/** Values of the chip's movement. */
const chipAxes = ['dx', 'dy', 'angle'] as const;
/** Values of a range. */
const rangeParts = ['low', 'median', 'high'] as const;

const valueBytes = { f64: 8, f32: 4, u16: 2 } as const;

/** What all rows of a segment have in common. */
export interface SeriesHeader {
  /** Names the segment; no other has it. */
  id: string;
  /** Local time of its first row, as there: segments that were made again later stand where they belong. Null: not known, or without rows. */
  began: number | null;
  /** Null: without rows. */
  method: AnalysisMethod | null;
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

/** One image; at a level above the first several, of which the earliest gives its id and times. */
export interface SeriesRow {
  /** See {@link rowId}. */
  id: string;
  attempt: number;
  /** Images that it stands for. */
  frames: number;
  /** What the clock at the camera showed, as ms since 1970 as if it were in UTC; NaN where that is not known. */
  local: number;
  /** The same instant, ms since 1970 UTC; NaN where the zone is unknown. */
  utc: number;
  /** Mean of the frame, camera counts; NaN where that is not known. */
  brightness: number;
  /** Pixels, in the order of the labels; NaN where there is none. At a level above the first: means of what is there. */
  positions: Float64Array<ArrayBuffer>;
  uncertainties: Float32Array<ArrayBuffer>;
  /** Since the reference, and their standard errors, pixels; NaN where there is none. */
  shifts: Float32Array<ArrayBuffer>;
  shiftUncertainties: Float32Array<ArrayBuffer>;
  /** How far the chip has moved since its reference image: pixels to the right and down, degrees; NaN where that is not known. */
  chipShift: Float32Array<ArrayBuffer>;
  /** Degrees Celsius, in the order of the sensors; NaN where there is none. */
  temperatures: Float32Array<ArrayBuffer>;
  /** Bits; at a level above the first: those of any image. */
  flags: Uint16Array<ArrayBuffer>;
  /** Null of a single image, and at a level of a version that has none. */
  spread: SeriesSpread | null;
}

/** How the values of several images lie: of shifts where a ROI has any, else of positions; pixels, NaN where there is none. */
export interface SeriesSpread {
  lows: Float32Array<ArrayBuffer>;
  /** Of more than four images, the median of medians. */
  medians: Float32Array<ArrayBuffer>;
  highs: Float32Array<ArrayBuffer>;
  /** Lowest, median and highest of what the median of all ROIs' shifts was in each image. */
  all: Float32Array<ArrayBuffer>;
  /** From the first of the images to the last, ms; one value. */
  lasted: Float64Array<ArrayBuffer>;
}

/** Row: checksum, attempt, frames, brightness (f32; 0: a row of a version without), local, utc, id, then the columns. */
const brightnessAt = 12;
/** Of a black frame. */
const leastBrightness = 2 ** -149;
const idAt = 32;
const idBytes = 40;
const columnsAt = idAt + idBytes;

/** Ids are as long as the row has room for; a longer one is known by its hash. */
export function rowId(entryId: string): string {
  if (Buffer.byteLength(entryId) <= idBytes) return entryId;
  return createHash('sha256').update(entryId).digest('hex').slice(0, idBytes);
}

/** Tells rows apart: an image that was analysed anew has a further one. */
export const rowKey = (line: ResultLine): string => `${rowId(line.entry_id ?? '')} ${line.attempt ?? 0}`;

/** A segment's header with what follows from it. */
export class SeriesLayout {
  readonly header: SeriesHeader;
  /** Of the file. */
  readonly bytes: Buffer;
  /** Of an image. */
  readonly rowBytes: number;
  /** Of a level above the first. */
  readonly #levelRowBytes: number;
  readonly #at = new Map<string, number>();
  readonly #isOurs: boolean;
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #sensorAt: ReadonlyMap<string, number>;

  constructor(header: SeriesHeader, bytes: Buffer = headerBytes(header)) {
    this.header = header;
    this.bytes = bytes;
    const named = { roi: header.labels, sensor: header.sensors, chip: chipAxes, range: rangeParts, row: [''] };
    const place = (placed: readonly SeriesColumn[], from: number): number => {
      let length = from;
      for (const { name, of, type } of placed) {
        this.#at.set(name, length);
        length += valueBytes[type] * named[of].length;
      }
      return Math.ceil(length / 8) * 8;
    };
    this.rowBytes = place(header.columns, columnsAt);
    this.#levelRowBytes = place(header.level_columns ?? [], this.rowBytes);
    this.#isOurs =
      JSON.stringify([header.columns, header.level_columns, header.flags]) ===
      JSON.stringify([columns, levelColumns, flagBits]);
    this.#indexOf = new Map(header.labels.map((label, i) => [label, i]));
    this.#sensorAt = new Map(header.sensors.map((sensor, i) => [sensorKey(sensor), i]));
  }

  /** Length of a row of a level. */
  rowBytesOf(level: number): number {
    return level === 0 ? this.rowBytes : this.#levelRowBytes;
  }

  /**
   * Whether the row of a result can stand here: a ROI or sensor may be missing in it, but none may be more. In a segment of another version
   * with other columns none can.
   */
  fits(line: ResultLine): boolean {
    const rois = roisOf(line);
    return (
      this.#isOurs &&
      rois[0]?.['Analysis-method'] === this.header.method &&
      rois.every(roi => this.#indexOf.has(roi['ROI-label'])) &&
      Object.keys(line.temperature_readings ?? {}).every(sensor => this.#sensorAt.has(sensorKey(sensor)))
    );
  }

  /** The row of a result that fits. */
  rowOf(line: ResultLine, clock: SeriesClock): SeriesRow {
    const { labels, sensors } = this.header;
    const row: SeriesRow = {
      id: rowId(line.entry_id ?? ''),
      attempt: line.attempt ?? 0,
      frames: 1,
      ...clock(line),
      brightness: line.image_analysis?.[0].brightness ?? Number.NaN,
      positions: new Float64Array(labels.length).fill(Number.NaN),
      uncertainties: new Float32Array(labels.length).fill(Number.NaN),
      shifts: new Float32Array(labels.length).fill(Number.NaN),
      shiftUncertainties: new Float32Array(labels.length).fill(Number.NaN),
      temperatures: new Float32Array(sensors.length).fill(Number.NaN),
      chipShift: Float32Array.from(chipAxes, axis => line.chip_shift?.[axis] ?? Number.NaN),
      flags: new Uint16Array(labels.length),
      spread: null,
    };
    for (const roi of roisOf(line)) {
      const i = this.#indexOf.get(roi['ROI-label'])!;
      row.positions[i] = roi.position ?? Number.NaN;
      row.uncertainties[i] = roi.uncertainty ?? Number.NaN;
      row.shifts[i] = roi.shift ?? Number.NaN;
      row.shiftUncertainties[i] = roi.shift_uncertainty ?? Number.NaN;
      row.flags[i] = roi.flags.reduce((bits, flag) => bits | (1 << flagBits.indexOf(flag)), 0);
    }
    for (const [sensor, value] of Object.entries(line.temperature_readings ?? {})) {
      row.temperatures[this.#sensorAt.get(sensorKey(sensor))!] = value ?? Number.NaN;
    }
    return row;
  }

  encode(row: SeriesRow, level: number): Buffer {
    const bytes = Buffer.alloc(this.rowBytesOf(level));
    bytes.writeUInt32LE(row.attempt, 4);
    bytes.writeUInt32LE(row.frames, 8);
    bytes.writeFloatLE(row.brightness === 0 ? leastBrightness : row.brightness || 0, brightnessAt);
    bytes.writeDoubleLE(row.local, 16);
    bytes.writeDoubleLE(row.utc, 24);
    bytes.write(row.id, idAt, idBytes);
    for (const [name, values] of Object.entries(columnsOf(row, level))) {
      const at = this.#at.get(name);
      if (at !== undefined) bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    }
    bytes.writeUInt32LE(this.#check(bytes, level), 0);
    return bytes;
  }

  /** Null for bytes that are no row of this segment and level: damaged, or never fully written. */
  decode(bytes: Buffer, level: number): SeriesRow | null {
    if (bytes.length !== this.rowBytesOf(level) || bytes.readUInt32LE(0) !== this.#check(bytes, level)) return null;
    const { labels, sensors } = this.header;
    // A copy of its own: views need places that are multiples of their length.
    const own = new Uint8Array(bytes).buffer;
    const end = bytes.indexOf(0, idAt);
    type Type<T> = new (from: ArrayBuffer, at: number, length: number) => T;
    const values = <T extends { fill(value: number): unknown }>(
      name: string,
      type: Type<T>,
      names: readonly string[],
    ): T => {
      const at = this.#at.get(name);
      if (at !== undefined) return new type(own, at, names.length);
      const missing = new type(new ArrayBuffer(8 * names.length), 0, names.length);
      missing.fill(Number.NaN);
      return missing;
    };
    return {
      id: bytes.toString('utf8', idAt, end < 0 ? columnsAt : Math.min(end, columnsAt)),
      attempt: bytes.readUInt32LE(4),
      frames: bytes.readUInt32LE(8),
      local: bytes.readDoubleLE(16),
      utc: bytes.readDoubleLE(24),
      brightness: brightnessOf(bytes.readFloatLE(brightnessAt)),
      positions: values('position', Float64Array<ArrayBuffer>, labels),
      uncertainties: values('uncertainty', Float32Array<ArrayBuffer>, labels),
      shifts: values('shift', Float32Array<ArrayBuffer>, labels),
      shiftUncertainties: values('shift_uncertainty', Float32Array<ArrayBuffer>, labels),
      temperatures: values('temperature', Float32Array<ArrayBuffer>, sensors),
      chipShift: values('chip_shift', Float32Array<ArrayBuffer>, chipAxes),
      flags: values('flags', Uint16Array<ArrayBuffer>, labels),
      spread:
        level === 0 || !this.#at.has('all')
          ? null
          : {
              lows: values('low', Float32Array<ArrayBuffer>, labels),
              medians: values('median', Float32Array<ArrayBuffer>, labels),
              highs: values('high', Float32Array<ArrayBuffer>, labels),
              all: values('all', Float32Array<ArrayBuffer>, rangeParts),
              lasted: values('lasted', Float64Array<ArrayBuffer>, ['']),
            },
    };
  }

  /** So a row counts in its own segment and level only. */
  #check(bytes: Buffer, level: number): number {
    return crc32(bytes.subarray(4), crc32(`${this.header.id} ${level}`));
  }
}

const brightnessOf = (stored: number): number => (stored === 0 ? Number.NaN : stored === leastBrightness ? 0 : stored);

const columnsOf = (row: SeriesRow, level: number) => ({
  position: row.positions,
  uncertainty: row.uncertainties,
  shift: row.shifts,
  shift_uncertainty: row.shiftUncertainties,
  temperature: row.temperatures,
  chip_shift: row.chipShift,
  flags: row.flags,
  ...(level > 0 && row.spread
    ? {
        lasted: row.spread.lasted,
        low: row.spread.lows,
        median: row.spread.medians,
        high: row.spread.highs,
        all: row.spread.all,
      }
    : {}),
});

/** As both a result and a table can name a sensor. */
const sensorKey = (sensor: string): string => sensor.toLowerCase().replaceAll(' ', '_');

/** A segment has so many times as many ROIs as its first image, at most. */
const maxTimesOwn = 4;

/**
 * Of a segment that begins with a result.
 * @param sensors the configured ones: each has its place, also before its first reading.
 * @param before the ROIs of the segment before are kept, where images of two kinds come in turn.
 */
export function layoutFor(
  { id, began }: Pick<SeriesHeader, 'id' | 'began'>,
  line: ResultLine,
  sensors: readonly string[],
  before: SeriesHeader | null,
): SeriesLayout {
  const rois = roisOf(line);
  const own = rois.map(roi => roi['ROI-label']);
  const all = new Set([...(before?.labels ?? []), ...own]);
  // Not those of every ROI manifest that was tried for some images.
  const labels = all.size <= maxTimesOwn * own.length ? [...all] : own;
  const named = [...sensors, ...(before?.sensors ?? []), ...Object.keys(line.temperature_readings ?? {})];
  return new SeriesLayout({
    id,
    began,
    method: rois[0]!['Analysis-method'],
    labels,
    sensors: [...new Map(named.toReversed().map(sensor => [sensorKey(sensor), sensor])).values()].reverse(),
    chip: chipAxes,
    columns,
    level_columns: levelColumns,
    flags: flagBits,
  });
}

/** Of a segment without rows. */
export const emptyLayout = (id: string): SeriesLayout =>
  new SeriesLayout({
    id,
    began: null,
    method: null,
    labels: [],
    sensors: [],
    chip: chipAxes,
    columns,
    level_columns: levelColumns,
    flags: flagBits,
  });

/** The first line says how long the header is, and has its checksum; the last byte is a newline. */
function headerBytes(header: SeriesHeader): Buffer {
  const json = JSON.stringify(header);
  const length = Buffer.byteLength(json) + firstLineBytes;
  const text = `${json}${' '.repeat(7 - (length % 8))}\n`;
  const whole = Buffer.byteLength(text) + firstLineBytes;
  const first = `${magic} ${whole} ${crc32(text)}`.padEnd(firstLineBytes - 1);
  return Buffer.from(`${first}\n${text}`);
}

const firstLineBytes = 48;
/** A header is no longer: 100,000 ROIs with long names. */
const longestHeader = 64 << 20;

/** Length of the header of a file that begins with these bytes; null when they are no beginning of a segment. */
export function headerLength(beginning: Buffer): number | null {
  const [name, length] = beginning.toString('latin1', 0, firstLineBytes).split(' ');
  const bytes = Number(length);
  return name === magic && Number.isInteger(bytes) && bytes >= firstLineBytes && bytes <= longestHeader ? bytes : null;
}

/** Bytes that tell how long the header is. */
export const beginningBytes = firstLineBytes;

/** @throws Error that says why these bytes are no header, completing "the file …" */
export function readHeader(bytes: Buffer): SeriesLayout {
  const [name, length, check] = bytes.toString('latin1', 0, firstLineBytes).split(' ');
  if (name !== magic) throw new Error('does not begin as a segment of the series');
  if (bytes.length !== Number(length)) throw new Error('ends within its header');
  const text = bytes.subarray(firstLineBytes);
  if (crc32(text) !== Number(check)) throw new Error('has a damaged header: its checksum is wrong');
  return new SeriesLayout(JSON.parse(text.toString()) as SeriesHeader, bytes);
}

/** Where a result stands in time, as a row has it. */
export type SeriesClock = (line: ResultLine) => Pick<SeriesRow, 'local' | 'utc'>;

/**
 * For results in about the order in which they were taken. Where one does not tell UTC (it is of an earlier version, or its image has no time
 * of its own), its time is taken to be of this machine, or of the zone that those before it were of.
 */
export function seriesClock(): SeriesClock {
  const instantHere = localTimesInOrder();
  /** The zone of the times, from that of this machine, ms. */
  let zoneFromHere = 0;
  return ({ image_timestamp: taken, image_timestamp_utc: utc, manifest_entry_timestamp: recorded }) => {
    const shown = taken ?? recorded ?? '';
    const local = parseIso(/(?:Z|[+-]\d\d:?\d\d)$/.test(shown) ? shown : `${shown}Z`);
    if (taken !== null && utc === null) return { local, utc: Number.NaN };
    const here = instantHere(shown);
    if (taken === null || utc === undefined) return { local, utc: here - zoneFromHere };
    const instant = parseIso(utc as string);
    if (!Number.isNaN(instant)) zoneFromHere = here - instant;
    return { local, utc: instant };
  };
}

/** One row of the next level. @param rows at least one, of one segment. */
export function mergeRows(rows: readonly SeriesRow[]): SeriesRow {
  const first = rows.reduce((a, b) => (isEarlier(b, a) ? b : a));
  const { length } = first.positions;
  const flags = new Uint16Array(length);
  for (const row of rows) for (let i = 0; i < length; i++) flags[i]! |= row.flags[i]!;
  return {
    ...first,
    frames: rows.reduce((sum, { frames }) => sum + frames, 0),
    brightness: means(rows, new Float32Array(1), row => [row.brightness])[0]!,
    positions: means(rows, new Float64Array(length), row => row.positions),
    uncertainties: means(rows, new Float32Array(length), row => row.uncertainties),
    shifts: means(rows, new Float32Array(length), row => row.shifts),
    shiftUncertainties: means(rows, new Float32Array(length), row => row.shiftUncertainties),
    temperatures: means(rows, new Float32Array(first.temperatures.length), row => row.temperatures),
    chipShift: means(rows, new Float32Array(chipAxes.length), row => row.chipShift),
    flags,
    spread: spreadOf(rows),
  };
}

/** Null where rows that stand for several images do not tell theirs. */
function spreadOf(rows: readonly SeriesRow[]): SeriesSpread | null {
  if (rows.some(({ spread, frames }) => spread === null && frames > 1)) return null;
  const { length } = rows[0]!.positions;
  const spread: SeriesSpread = {
    lows: new Float32Array(length),
    medians: new Float32Array(length),
    highs: new Float32Array(length),
    all: new Float32Array(rangeParts.length),
    lasted: Float64Array.of(Math.max(...rows.map(lastAt)) - Math.min(...rows.map(firstAt))),
  };
  for (let i = 0; i < length; i++) {
    const shifted = rows.filter(({ shifts }) => !Number.isNaN(shifts[i]));
    const [of, from] = shifted.length > 0 ? ([shifted, 'shifts'] as const) : ([rows, 'positions'] as const);
    spread.lows[i] = lowest(of.map(row => row.spread?.lows[i] ?? row[from][i]!));
    spread.medians[i] = medianOf(of.map(row => row.spread?.medians[i] ?? row[from][i]!));
    spread.highs[i] = -lowest(of.map(row => -(row.spread?.highs[i] ?? row[from][i]!)));
  }
  const all = rows.map(row => row.spread?.all ?? new Float32Array(rangeParts.length).fill(medianOf(row.shifts)));
  spread.all[0] = lowest(all.map(of => of[0]!));
  spread.all[1] = medianOf(all.map(of => of[1]!));
  spread.all[2] = -lowest(all.map(of => -of[2]!));
  return spread;
}

const firstAt = ({ utc, local }: SeriesRow): number => (Number.isNaN(utc) ? local : utc);
const lastAt = (row: SeriesRow): number => firstAt(row) + (row.spread?.lasted[0] ?? 0);

/** NaN does not count; NaN of nothing. */
function lowest(values: readonly number[]): number {
  let low = Number.NaN;
  for (const value of values) if (!(value >= low)) low = Number.isNaN(value) ? low : value;
  return low;
}

const isEarlier = (a: SeriesRow, b: SeriesRow): boolean =>
  Number.isNaN(a.utc) || Number.isNaN(b.utc) ? a.local < b.local : a.utc < b.utc;

function means<T extends Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  rows: readonly SeriesRow[],
  into: T,
  of: (row: SeriesRow) => ArrayLike<number>,
): T {
  for (let i = 0; i < into.length; i++) {
    let sum = 0;
    let count = 0;
    for (const row of rows) {
      const value = of(row)[i]!;
      if (Number.isNaN(value)) continue;
      sum += value * row.frames;
      count += row.frames;
    }
    into[i] = sum / count;
  }
  return into;
}
