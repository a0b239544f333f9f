import { basename, join } from 'node:path';
import { appendDurably, isAsLongAsCanBe, ShorterFileError } from '../../files/appendDurably.ts';
import { makeFolder, removeFile, syncGrown } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { moveFile } from '../../files/moveFile.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { ResultLine } from '../../model/result.ts';
import { roisOf } from '../table/csvColumns.ts';
import { seriesClock } from './seriesClock.ts';
import { layoutFor, type SeriesLayout } from './seriesFormat.ts';
import { fan } from './seriesLevels.ts';
import { SeriesSegment, seriesFiles } from './seriesReader.ts';
import { rowKey } from './seriesRow.ts';

/** Rows at the end that are looked at when the series is opened: those that a crash may have left are among them. */
const lastRows = 64;
/** A level grows by so many rows at a time: one fsync for all of them … */
const levelRows = 16;
/** … and so many times at a report, at most: for one whose file was removed. */
const timesAtReport = 8;
/** A segment that is shorter gives its ROIs to the next: so few files come of images of two kinds in turn. */
const shortRows = 64;
/** A segment with such a number, or a multiple, leaves room for what has to be made again before it. */
const gap = 1000;

/**
 * Before which segment rows have to be made again; null where none are missing.
 * @param next number of the next segment that is begun
 */
export function missingBefore(numbers: readonly number[], next: number): number | null {
  const isGap = (number: number): boolean => number > 0 && number % gap === 0 && !numbers.includes(number - 1);
  return [...numbers, next].find(isGap) ?? null;
}

export interface SeriesWriterOptions {
  /** `results/series`. Made when it is not there. */
  folder: string;
  files: Files;
  /** Names of the configured sensors. */
  sensors: readonly string[];
  /** A segment takes no more than so many bytes. */
  segmentBytes?: number;
  /** Results were reported before there was a series: what comes now stands behind them. */
  hasPast?: boolean;
  /** Told of a segment that was set aside, and of levels that can't be written: rows go on. */
  warn: (message: string) => void;
  /** Told when levels are written again. */
  well?: () => void;
}

interface Open {
  number: number;
  layout: SeriesLayout;
  /** Bytes of the file. */
  size: number;
  /** Rows of each level in its file. */
  levels: number[];
}

/**
 * Appends to `results/series/`: a row for each image, in the order in which they are reported. One process writes, one call at a time
 * (the communicator is an exclusive stage).
 *
 * Rows are durable when `append` resolves. What of a batch stood there already, after a crash between the series and the manifest, is not
 * written again. The levels above follow in larger pieces; what is missing of them costs readers a moment and nothing else.
 */
export class SeriesWriter {
  readonly #options: Required<SeriesWriterOptions>;
  readonly #clock = seriesClock();
  #open: Open | null = null;
  #next = 0;
  /** The rows at the end, each `id attempt`. */
  #recent = new Set<string>();
  #levelsFail = false;
  /** Files whose name is durable. */
  readonly #named = new Set<string>();

  private constructor(options: SeriesWriterOptions) {
    this.#options = { segmentBytes: 1 << 30, hasPast: false, well: () => undefined, ...options };
  }

  /** @throws the file system's errors */
  static async open(options: SeriesWriterOptions): Promise<SeriesWriter> {
    const writer = new SeriesWriter(options);
    await makeFolder(options.files, options.folder);
    await writer.#findEnd();
    return writer;
  }

  /** Number of the next segment. */
  get next(): number {
    return this.#next;
  }

  /** Images that failed have no row. @throws Node's error; the batch may be tried again. */
  async append(results: readonly ResultLine[]): Promise<void> {
    const fresh = results.filter(line => roisOf(line).length > 0 && !(line.entry_id && this.#recent.has(rowKey(line))));
    if (fresh.length === 0) return;
    await this.#checkAgain();
    try {
      await this.#appendRows(fresh);
    } catch (error) {
      if (!(error instanceof ShorterFileError)) throw error;
      await this.append(results);
    }
  }

  async #appendRows(lines: readonly ResultLine[]): Promise<void> {
    let waiting: ResultLine[] = [];
    for (const line of lines) {
      const layout = this.#open?.layout;
      const isFull =
        layout !== undefined && this.#open!.size + (waiting.length + 1) * layout.rowBytes > this.#options.segmentBytes;
      if (!layout?.fits(line) || (isFull && this.#rows() + waiting.length > 0)) {
        await this.#write(waiting);
        waiting = [];
        await this.#keepUp(1);
        await this.#begin(line, isFull);
      }
      waiting.push(line);
    }
    await this.#write(waiting);
    await this.#keepUp(levelRows);
  }

  /** Brings the levels up to date: for a segment that takes no more rows. */
  async finish(): Promise<void> {
    while (await this.#growLevels(1));
  }

  /** Rows count without the levels: what is wrong with these fails no report. */
  async #keepUp(least: number): Promise<void> {
    const { warn, well } = this.#options;
    try {
      for (let times = 1; await this.#growLevels(least); times++) {
        if (this.#levelsFail) well();
        this.#levelsFail = false;
        if (least > 1 && times === timesAtReport) return;
      }
    } catch (error) {
      this.#levelsFail = true;
      warn(`The series is complete, but reading it takes longer: ${(error as Error).message}`);
    }
  }

  #rows(): number {
    return this.#open === null ? 0 : (this.#open.size - this.#open.layout.bytes.length) / this.#open.layout.rowBytes;
  }

  async #write(lines: readonly ResultLine[]): Promise<void> {
    if (lines.length === 0) return;
    const { folder, files } = this.#options;
    const { number, layout } = this.#open!;
    const path = seriesFiles(files, folder).path(number);
    const data = Buffer.concat(lines.map(line => layout.encode(layout.rowOf(line, this.#clock), 0)));
    try {
      const least = this.#open!.size;
      this.#open!.size = await this.#append(path, data, {
        rowBytes: layout.rowBytes,
        start: layout.bytes.length,
        least,
      });
    } catch (error) {
      if (!isAsLongAsCanBe(error) || this.#rows() === 0) throw error;
      await this.#begin(lines[0]!, true);
      return this.#write(lines);
    }
    // Should it be removed, there is a past to be made again.
    this.#options.hasPast = true;
    for (const line of lines) this.#remember(rowKey(line));
  }

  /** Says how long the file is then. */
  async #append(
    path: string,
    data: Buffer,
    { rowBytes, start, least }: { rowBytes: number; start: number; least: number },
  ): Promise<number> {
    const { folder, files } = this.#options;
    const { offset, length } = await appendDurably(files, path, data, {
      keep: 'nothing',
      folder: this.#named.has(path) ? null : folder,
      rowsEnd: size => start + Math.max(0, Math.floor((size - start) / rowBytes)) * rowBytes,
      least,
    });
    this.#named.add(path);
    return offset + length;
  }

  #remember(key: string): void {
    this.#recent.delete(key);
    this.#recent.add(key);
    for (const oldest of this.#recent) {
      if (this.#recent.size <= lastRows) break;
      this.#recent.delete(oldest);
    }
  }

  async #begin(line: ResultLine, isFull: boolean): Promise<void> {
    const { folder, files, sensors } = this.#options;
    const before = this.#open?.layout.header ?? null;
    const keeps = before !== null && (isFull || this.#rows() < shortRows);
    const number = this.#next;
    const { local } = this.#clock(line);
    const named = { id: `${number} ${rowKey(line)}`, began: Number.isNaN(local) ? null : local };
    const layout = layoutFor(named, line, sensors, keeps ? before : null);
    await writeAtomic(files, seriesFiles(files, folder).path(number), layout.bytes);
    this.#open = { number, layout, size: layout.bytes.length, levels: [0] };
    this.#next = number + 1;
  }

  /** Others may remove or change the series while it is open here: what stands there now counts. */
  async #checkAgain(): Promise<void> {
    if (this.#open === null) return;
    const { folder, files, warn } = this.#options;
    const path = seriesFiles(files, folder).path(this.#open.number);
    const found = (await files.stat(path))?.size ?? null;
    if (found === this.#open.size) return;
    // A torn row of a failed write is cut with the next.
    if (found !== null && found > this.#open.size && found < this.#open.size + this.#open.layout.rowBytes) return;
    warn(
      `${path} was changed by another program while it is written: ${this.#open.size} bytes were there, ${found ?? 'nothing'} now. ` +
        "Once the pipeline is stopped, 'phorest verify --repair' makes again what is missing in it",
    );
    await makeFolder(files, folder);
    await this.#findEnd();
  }

  async #findEnd(): Promise<void> {
    const { folder, files, hasPast } = this.#options;
    this.#open = null;
    this.#named.clear();
    this.#recent = new Set();
    const numbers = await seriesFiles(files, folder).segments();
    const last = numbers.at(-1);
    this.#next = last !== undefined ? last + 1 : hasPast ? gap : 0;
    const sound: SeriesSegment[] = [];
    for (const number of numbers) {
      const segment = await this.#lookAt(number, number === last);
      if (segment) sound.push(segment);
      else this.#next = (Math.floor(last! / gap) + 1) * gap;
    }
    for (const segment of sound.toReversed()) {
      const first = Math.max(0, segment.counts[0]! - lastRows + this.#recent.size);
      const keys: string[] = [];
      for await (const { row } of segment.read(0, first)) keys.push(`${row.id} ${row.attempt}`);
      this.#recent = new Set([...keys, ...this.#recent]);
      if (this.#recent.size >= lastRows) break;
    }
    const newest = sound.at(-1);
    if (newest?.number !== this.#next - 1) return;
    const { number, layout, counts } = newest;
    this.#open = { number, layout, size: layout.bytes.length + counts[0]! * layout.rowBytes, levels: [...counts] };
  }

  /** Null: it can't be read, and was set aside. */
  async #lookAt(number: number, isLast: boolean): Promise<SeriesSegment | null> {
    const { folder, files, warn } = this.#options;
    const rows = seriesFiles(files, folder);
    try {
      const segment = await SeriesSegment.look(files, folder, number);
      return isLast ? await this.#cutBack(segment) : segment;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
      const aside = join(folder, `damaged_${basename(rows.path(number))}`);
      await moveFile(files, rows.path(number), aside);
      for (let level = 1; await files.stat(seriesFiles(files, folder, level).path(number)); level++)
        await removeFile(files, seriesFiles(files, folder, level).path(number));
      warn(`${(error as Error).message}: it is kept as ${aside}, and what stood in it is made again from the results`);
      return null;
    }
  }

  /** Takes back what a crash has left behind the last whole row: it was never acknowledged. */
  async #cutBack(segment: SeriesSegment): Promise<SeriesSegment> {
    const { folder, files } = this.#options;
    const { number, layout, counts } = segment;
    const count = counts[0]!;
    const from = Math.max(0, count - lastRows);
    let whole = from;
    for await (const { index } of segment.read(0, from)) whole = index + 1;
    if (whole === count) return segment;
    const path = seriesFiles(files, folder).path(number);
    if (from > 0 && whole === from) throw new Error(`${path} has ${lastRows} damaged rows at its end`);
    const file = await files.open(path, 'r+');
    try {
      await file.truncate(layout.bytes.length + whole * layout.rowBytes);
      await syncGrown(files, path, file);
    } finally {
      await file.close();
    }
    return SeriesSegment.look(files, folder, number, layout);
  }

  /** Writes what is missing of the levels, `levelRows` of each; says whether there was any. @param least fewer are left for later. */
  async #growLevels(least: number): Promise<boolean> {
    const { folder, files } = this.#options;
    if (this.#open === null) return false;
    const { number, layout, levels } = this.#open;
    levels[0] = this.#rows();
    let grew = false;
    for (let level = 1; levels[level - 1]! >= fan; level++) {
      const from = (levels[level] ??= 0);
      const to = Math.min(from + levelRows, Math.floor(levels[level - 1]! / fan));
      if (to - from < least) continue;
      const rowBytes = layout.rowBytesOf(level);
      const data = Buffer.alloc((to - from) * rowBytes);
      const segment = await SeriesSegment.look(files, folder, number, layout);
      // In the place of rows that are damaged below stands none.
      for await (const { index, row } of segment.read(level, from, to))
        data.set(layout.encode(row, level), (index - from) * rowBytes);
      const path = seriesFiles(files, folder, level).path(number);
      const length = await this.#append(path, data, { rowBytes, start: 0, least: 0 });
      levels[level] = to;
      grew = true;
      // It is not what was left of it: readers make do with the level below until it is made again.
      if (length !== to * rowBytes) {
        await removeFile(files, path);
        levels[level] = 0;
      }
    }
    return grew;
  }
}
