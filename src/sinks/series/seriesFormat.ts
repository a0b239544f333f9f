import { crc32 } from 'node:zlib';
import type { ResultLine } from '../../model/result.ts';
import { roisOf } from '../table/csvColumns.ts';
import type { SeriesClock } from './seriesClock.ts';
import {
  columns,
  flagBits,
  headerBytes,
  levelColumns,
  parseHeader,
  type SeriesColumn,
  type SeriesHeader,
} from './seriesHeader.ts';
import { chipAxes, idBytes, rangeParts, rowId, type SeriesRow } from './seriesRow.ts';

/** The rows of `results/series/` as bytes; `docs/formats.md` tells the layout to others. */

const valueBytes = { f64: 8, f32: 4, u16: 2 } as const;

/** Row: checksum, attempt, frames, brightness (f32; 0: a row of a version without), local, utc, id, then the columns. */
const brightnessAt = 12;
/** Of a black frame. */
const leastBrightness = 2 ** -149;
const idAt = 32;
const columnsAt = idAt + idBytes;

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
   * Whether the row of a result can stand here: a ROI, a sensor or a reference may be missing in it, but none may be more, and shifts are of one
   * reference. In a segment of another version with other columns none can.
   */
  fits(line: ResultLine): boolean {
    const rois = roisOf(line);
    return (
      this.#isOurs &&
      rois[0]?.['Analysis-method'] === this.header.method &&
      (!line.reference || line.reference === this.header.reference) &&
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
    reference: line.reference ?? null,
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

/** @throws Error that says why these bytes are no header, completing "the file …" */
export const readHeader = (bytes: Buffer): SeriesLayout => new SeriesLayout(parseHeader(bytes), bytes);
