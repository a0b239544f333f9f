import { basename, dirname, extname } from 'node:path';
import type { Files } from '../../files/files.ts';
import { SegmentedFile } from '../../files/segmentedFile.ts';
import { splitLines } from '../../files/splitLines.ts';
import type { RoiHistory } from '../../model/roiHistory.ts';
import { type FileLine, lastLines, lineBehind } from './linesOfFile.ts';
import { readResultSample } from './resultSample.ts';
import { RoiSeries } from './roiSeries.ts';

export interface ResultsSamplerOptions {
  /** `processing_results.jsonl`, absolute; its further segments stand beside it. */
  readonly resultsFile: string;
  readonly files: Files;
  /** Samples that are kept, and those of them that are read of the past. */
  readonly mostSamples: number;
  readonly pastSamples: number;
}

/** Results from which ROIs get their baseline: a ROI without a position in all of these gets it from a later one. */
const baselineLines = 20;
const baselineBytes = 32 << 20;
/** New lines that one look reads at most, the newest. */
const linesPerLook = 2;
/** What reading the past may cost, bytes: fewer samples where lines are very long. */
const pastBytes = 256 << 20;
const firstGuess = 64 << 10;

interface Segment {
  number: number;
  /** Bytes; what is compressed counts for none, because it can't be read from the middle. */
  size: number;
  packed: boolean;
}

/**
 * Reads a sample of the results log while others write it: some lines of the past, then the newest. It takes no lock and
 * keeps no file open. Every method rejects with the file system's error; what was read before stays, and it may be called again.
 */
export class ResultsSampler {
  readonly #options: ResultsSamplerOptions;
  readonly #log: SegmentedFile;
  #series: RoiSeries;
  /** The segment that grows, the byte behind the last whole line there that was seen, and its size then; null without any. */
  #newest: { segment: number; end: number; size: number } | null = null;
  /** About how long lines are, bytes. */
  #lineBytes = firstGuess;

  constructor(options: ResultsSamplerOptions) {
    const { files, resultsFile } = options;
    const extension = extname(resultsFile);
    this.#options = options;
    this.#log = new SegmentedFile(files, dirname(resultsFile), basename(resultsFile, extension), extension.slice(1));
    this.#series = new RoiSeries(options.mostSamples);
  }

  history(): RoiHistory {
    return this.#series.history();
  }

  /**
   * Reads the past anew: the baseline and the newest lines first, then from the coarse to the fine. Yields after each reading
   * that told something, so that the caller may show it, or leave.
   */
  async *past(): AsyncGenerator<void> {
    this.#series = new RoiSeries(this.#options.mostSamples);
    this.#newest = null;
    const segments = await this.#segments();
    const last = segments.at(-1);
    if (!last) return;
    await this.#readBaseline(segments[0].number);
    this.#newest = { segment: last.number, end: 0, size: 0 };
    await this.#readNewest(last.packed ? 0 : last.size);
    yield;
    yield* this.#readPlaces(segments.filter(({ packed }) => !packed));
  }

  /**
   * Looks for new results. `replaced`: the log is no longer the one that was read, so that its past must be read anew.
   */
  async look(): Promise<'new' | 'nothing' | 'replaced'> {
    const { files } = this.#options;
    if (!this.#newest) return (await this.#segments()).length > 0 ? 'replaced' : 'nothing';
    const path = this.#log.path(this.#newest.segment);
    const stat = await files.stat(path);
    const next = await files.stat(this.#log.path(this.#newest.segment + 1));
    if (next) {
      this.#newest = { segment: this.#newest.segment + 1, end: 0, size: 0 };
      return this.look();
    }
    if (!stat) {
      // Compressed a moment ago, and nothing new has come since; or the whole log is gone.
      if (await files.stat(`${path}.gz`)) return 'nothing';
      return 'replaced';
    }
    if (stat.size < this.#newest.end) return 'replaced';
    if (stat.size === this.#newest.size) return 'nothing';
    return (await this.#readNewest(stat.size)) ? 'new' : 'nothing';
  }

  async #segments(): Promise<Segment[]> {
    const segments: Segment[] = [];
    for (const number of await this.#log.segments()) {
      const stat = await this.#options.files.stat(this.#log.path(number));
      segments.push({ number, size: stat?.size ?? 0, packed: stat === null });
    }
    return segments;
  }

  async #readBaseline(segment: number): Promise<void> {
    let lines = 0;
    for await (const { offset, bytes, terminated } of splitLines(this.#log.read(segment))) {
      const sample = terminated && bytes ? readResultSample(bytes) : null;
      if (sample) this.#series.addFirst(sample);
      if (bytes) this.#lineBytes = bytes.length;
      if (++lines === baselineLines || offset > baselineBytes || this.#series.hasBaseline) return;
    }
  }

  /** Reads the last lines of the segment that grows, up to its size. True when there were any. */
  async #readNewest(size: number): Promise<boolean> {
    const newest = this.#newest!;
    newest.size = size;
    if (size === newest.end) return false;
    const path = this.#log.path(newest.segment);
    const range = { from: newest.end, to: size };
    const { lines, end } = await lastLines(this.#options.files, path, range, linesPerLook, this.#lineBytes);
    newest.end = end;
    for (const line of lines) this.#take(line);
    return lines.length > 0;
  }

  async *#readPlaces(segments: readonly Segment[]): AsyncGenerator<void> {
    const { files, pastSamples } = this.#options;
    const bytes = segments.reduce((sum, { size }) => sum + size, 0);
    const most = Math.max(8, Math.min(pastSamples, Math.floor(pastBytes / (2 * this.#lineBytes))));
    if (bytes <= 2 * most * this.#lineBytes && bytes <= pastBytes) {
      yield* this.#readAll(segments);
      return;
    }
    const seen = new Set<string>();
    for (const place of coarseToFine(placesToRead(bytes, most, this.#lineBytes))) {
      const { number, size, offset } = within(segments, place);
      const line = await lineBehind(files, this.#log.path(number), offset, size, this.#lineBytes).catch(goneMeanwhile);
      const key = `${number} ${line?.offset}`;
      if (!line || seen.has(key)) continue;
      seen.add(key);
      this.#take(line);
      yield;
    }
  }

  async *#readAll(segments: readonly Segment[]): AsyncGenerator<void> {
    for (const { number, size } of segments) {
      for await (const { offset, bytes, terminated } of splitLines(this.#log.read(number, 0, size))) {
        if (!bytes || !terminated) continue;
        this.#take({ offset, bytes });
        yield;
      }
    }
  }

  #take({ bytes }: FileLine): void {
    this.#lineBytes = bytes.length;
    const sample = readResultSample(bytes);
    if (sample) this.#series.add(sample);
  }
}

/** Half of them evenly over all bytes, half the denser the nearer to the end: charts begin with the last hour. Ascending. */
function placesToRead(bytes: number, count: number, lineBytes: number): number[] {
  const even = Math.ceil(count / 2);
  const near = count - even;
  const places: number[] = [];
  for (let i = 0; i < even; i++) places.push(Math.floor((bytes * i) / even));
  // The last two lines are read already, and the one behind a place begins half a line further on.
  const nearest = Math.min(bytes, 3.5 * lineBytes);
  for (let i = 0; i < near; i++) places.push(Math.floor(bytes - nearest * (bytes / nearest) ** (i / near)));
  return places.sort((a, b) => a - b);
}

/** The same in an order in which whatever part of it comes first lies evenly: by the reversed binary digits of their index. */
function coarseToFine<T>(values: readonly T[]): T[] {
  const digits = Math.ceil(Math.log2(Math.max(2, values.length)));
  const ordered: T[] = [];
  for (let i = 0; i < 1 << digits; i++) {
    let reversed = 0;
    for (let digit = 0; digit < digits; digit++) reversed |= ((i >> digit) & 1) << (digits - 1 - digit);
    if (reversed < values.length) ordered.push(values[reversed]);
  }
  return ordered;
}

function within(segments: readonly Segment[], place: number): Segment & { offset: number } {
  let offset = place;
  for (const segment of segments) {
    if (offset < segment.size) return { ...segment, offset };
    offset -= segment.size;
  }
  const last = segments.at(-1)!;
  return { ...last, offset: last.size };
}

/** A segment may be compressed while its past is read. */
function goneMeanwhile(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
