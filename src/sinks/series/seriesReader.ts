import { join } from 'node:path';
import type { Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { SegmentedFile } from '../../files/segmentedFile.ts';
import { readHeader, type SeriesLayout } from './seriesFormat.ts';
import { firstLineBytes, headerLength } from './seriesHeader.ts';
import { fan, mergeRows } from './seriesLevels.ts';
import type { SeriesRow } from './seriesRow.ts';

/** Rows are read in pieces of about so many bytes. */
const pieceBytes = 1 << 20;

/** The files of a series: the rows, and those of each level above them. */
export function seriesFiles(files: Files, folder: string, level = 0): SegmentedFile {
  return new SegmentedFile(files, folder, level === 0 ? 'rows' : `level${level}`, 'bin');
}

/** Folder of the series in a results folder. */
export const seriesFolder = (results: string): string => join(results, 'series');

/**
 * @param known what is taken where the file still begins so: a header does not change.
 * @throws Error that says why the file is no segment of a series; the file system's errors have a `code`.
 */
async function readLayout(files: Files, path: string, known?: SeriesLayout): Promise<SeriesLayout> {
  const beginning = await readBytes(files, path, 0, firstLineBytes);
  if (known?.bytes.subarray(0, firstLineBytes).equals(beginning)) return known;
  try {
    return readHeader(await readBytes(files, path, 0, headerLength(beginning) ?? firstLineBytes));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw new Error(`${path} ${(error as Error).message}`, { cause: error });
  }
}

/**
 * A segment as it was when it was looked at: its rows, and the levels above them. A level may be behind, or damaged: then what it would
 * say is taken from the level below.
 */
export class SeriesSegment {
  readonly number: number;
  readonly layout: SeriesLayout;
  /** Rows of each level that stand in its file. */
  readonly counts: readonly number[];
  readonly #files: Files;
  readonly #folder: string;

  private constructor(files: Files, folder: string, number: number, layout: SeriesLayout, counts: readonly number[]) {
    this.#files = files;
    this.#folder = folder;
    this.number = number;
    this.layout = layout;
    this.counts = counts;
  }

  /**
   * @param known its layout, where it was read before.
   * @throws Error that says why the file is no segment of a series; the file system's errors have a `code`.
   */
  static async look(files: Files, folder: string, number: number, known?: SeriesLayout): Promise<SeriesSegment> {
    const path = seriesFiles(files, folder).path(number);
    const layout = await readLayout(files, path, known);
    const size = (await files.stat(path))?.size ?? 0;
    const counts = [Math.max(0, Math.floor((size - layout.bytes.length) / layout.rowBytes))];
    for (let level = 1, most = Math.floor(counts[0]! / fan); most > 0; level++, most = Math.floor(most / fan)) {
      const there = (await files.stat(seriesFiles(files, folder, level).path(number)))?.size ?? 0;
      counts.push(Math.min(most, Math.floor(there / layout.rowBytesOf(level))));
    }
    return new SeriesSegment(files, folder, number, layout, counts);
  }

  /** Points that a level gives, the last of which may stand for fewer images. */
  points(level: number): number {
    return Math.ceil(this.counts[0]! / fan ** level);
  }

  /** Whether a point will not change any more: all its images are there. */
  isWhole(level: number, index: number): boolean {
    return (index + 1) * fan ** level <= this.counts[0]!;
  }

  /**
   * Points `from` to `to` of a level, with their index. Rows that are damaged are left out.
   * @param level 0: every image.
   */
  async *read(level: number, from = 0, to = this.points(level)): AsyncGenerator<{ index: number; row: SeriesRow }> {
    const stored = Math.min(to, this.counts[level] ?? 0);
    const { bytes: header } = this.layout;
    const rowBytes = this.layout.rowBytesOf(level);
    const path = seriesFiles(this.#files, this.#folder, level).path(this.number);
    const start = level === 0 ? header.length : 0;
    const step = Math.max(1, Math.floor(pieceBytes / rowBytes));
    for (let first = from; first < stored; first += step) {
      const end = Math.min(stored, first + step);
      const piece = await readBytes(this.#files, path, start + first * rowBytes, start + end * rowBytes);
      for (let index = first; index < end; index++) {
        const at = (index - first) * rowBytes;
        const row = this.layout.decode(piece.subarray(at, at + rowBytes), level) ?? (await this.#merged(level, index));
        if (row) yield { index, row };
      }
    }
    for (let index = Math.max(from, stored); index < to; index++) {
      const row = await this.#merged(level, index);
      if (row) yield { index, row };
    }
  }

  /**
   * The images of a span of local time, and some around it: what the levels say spares reading others.
   * @param span ms, as the clock at the camera showed them
   */
  async *readSpan(span: TimeSpan): AsyncGenerator<{ index: number; row: SeriesRow }> {
    const top = this.counts.length - 1;
    let part: [from: number, to: number] = [0, 0];
    for await (const [from, to] of this.#partsOf(span, top, 0, this.points(top))) {
      if (from > part[1]) yield* this.read(0, ...part);
      part = [from > part[1] ? from : part[0], to];
    }
    yield* this.read(0, ...part);
  }

  /** Images from one to another, in order, that stand below points of a level. */
  async *#partsOf(span: TimeSpan, level: number, from: number, to: number): AsyncGenerator<[number, number]> {
    if (from >= to) return;
    if (level === 0) {
      yield [from, to];
      return;
    }
    const stored = Math.min(to, this.counts[level]!);
    for await (const { index, row } of this.read(level, from, stored)) {
      const { spread, utc, local } = row;
      const first = Number.isNaN(utc) ? local : utc;
      const last = first + (spread?.lasted[0] ?? Number.NaN);
      // Clocks of different zones may have shown these.
      if (last + furthestEast < span.from || first - furthestWest >= span.end) continue;
      if (first - furthestWest >= span.from && last + furthestEast < span.end)
        yield [index * fan ** level, (index + 1) * fan ** level];
      else yield* this.#partsOf(span, level - 1, index * fan, (index + 1) * fan);
    }
    yield* this.#partsOf(span, level - 1, Math.max(from, stored) * fan, Math.min(to * fan, this.points(level - 1)));
  }

  async #merged(level: number, index: number): Promise<SeriesRow | null> {
    if (level === 0) return null;
    const rows: SeriesRow[] = [];
    const to = Math.min((index + 1) * fan, this.points(level - 1));
    for await (const { row } of this.read(level - 1, index * fan, to)) rows.push(row);
    return rows.length === 0 ? null : mergeRows(rows);
  }
}

/** From `from` up to but without `end`, ms. */
interface TimeSpan {
  from: number;
  end: number;
}

/** Furthest that a clock is before and behind UTC, ms. */
const [furthestEast, furthestWest] = [14 * 3_600_000, 12 * 3_600_000];

/** A baseline is looked for in so many images of a segment. */
const baselineImages = 256;

/** What stands in `results/series/`, for whoever draws or counts it. It takes no lock and keeps no file open. */
export class SeriesReader {
  /** In order. */
  readonly segments: readonly SeriesSegment[];

  private constructor(segments: readonly SeriesSegment[]) {
    this.segments = segments;
  }

  /**
   * @param folder `results/series`; it need not be there.
   * @param damaged told of each segment that can't be read; the others count.
   * @param before what was read when it was looked at last: spares reading headers again.
   * @throws the file system's errors
   */
  static async look(
    files: Files,
    folder: string,
    { damaged = () => undefined, before }: { damaged?: (error: Error) => void; before?: SeriesReader | null } = {},
  ): Promise<SeriesReader> {
    const segments: SeriesSegment[] = [];
    const known = new Map(before?.segments.map(({ number, layout }) => [number, layout]));
    for (const number of await seriesFiles(files, folder).segments()) {
      try {
        segments.push(await SeriesSegment.look(files, folder, number, known.get(number)));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
        damaged(error as Error);
      }
    }
    const began = ({ layout }: SeriesSegment): number => layout.header.began ?? 0;
    return new SeriesReader(segments.sort((a, b) => began(a) - began(b) || a.number - b.number));
  }

  /** Images in all. */
  get frames(): number {
    return this.segments.reduce((sum, { counts }) => sum + counts[0]!, 0);
  }

  /** The level of fewest points that are at least so many; 0 where there are not so many images. */
  levelFor(points: number): number {
    let level = 0;
    const stored = (at: number): number =>
      this.segments.reduce((sum, { counts }) => sum + Math.floor(counts[0]! / fan ** at), 0);
    while (stored(level + 1) >= points) level++;
    return level;
  }

  /**
   * What shifts count from where a ROI has none of its own, in order of its label's first appearance: its first positions. They stand for the
   * reference, which is made from the same frames, and have the same pattern under them. Where every position has a shift, that in the
   * reference. Where none of a segment's first images has enough, fewer.
   */
  async firstValues(most: number): Promise<Map<string, number[]>> {
    const values = new Map<string, number[]>();
    const known = new Set<string>();
    for (const segment of this.segments) {
      const { labels } = segment.layout.header;
      for (const label of labels) if (!values.has(label)) values.set(label, []);
      if (labels.every(label => known.has(label))) continue;
      for await (const { row } of segment.read(0, 0, Math.min(baselineImages, segment.counts[0]!))) {
        for (const [i, label] of labels.entries()) {
          const first = values.get(label)!;
          const value = row.positions[i]!;
          if (known.has(label) || Number.isNaN(value)) continue;
          const shift = row.shifts[i]!;
          if (Number.isNaN(shift)) first.push(value);
          else if (first.length === 0) first.push(value - shift);
          if (!Number.isNaN(shift) || first.length === most) known.add(label);
        }
        if (labels.every(label => known.has(label))) break;
      }
    }
    return values;
  }
}
