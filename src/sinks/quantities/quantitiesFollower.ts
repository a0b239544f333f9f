import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { appendDurably, ShorterFileError } from '../../files/appendDurably.ts';
import { syncGrown } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import { clockTime } from '../../model/experimentStep.ts';
import type { RunFigures, ShiftChange } from '../../quantities/quantities.ts';
import { type RunState, RunTracker } from '../../quantities/trackRun.ts';
import { type ChosenFrame, chooseFrames } from '../series/chosenFrames.ts';
import { SeriesReader, seriesFolder } from '../series/seriesReader.ts';
import { changesFile, quantitiesFile, quantitiesText } from './quantitiesFile.ts';
import type { QuantitySettings } from './readQuantities.ts';
import { trackedFrame } from './trackedFrame.ts';

/** Results come in about the order of their images: an image may still come before so many others. */
const heldFrames = 8;
/** Images that are taken together between two rests. */
const together = 8;
/** What was reached is kept so often, ms: it is some MB, and the rows since then are soon read again. */
const keepEveryMs = 600_000;
/** It works for so long, ms, and rests for three times as long, where there is much to look through. */
const sliceMs = 10;
const restMs = 30;
/** At the end of the pipeline it takes no longer than this, ms. */
const longestEndMs = 4_000;
/** After rows that belong before others all is looked through again, not sooner than this after the last time, ms. */
const againMs = 60_000;
/** `quantities.json` is written at most so often, ms, and makes so many bytes a second at most. */
const shortestPauseMs = 2_000;
const bytesPerSecond = 20_000;
/** Figures and text take one part in so many of the time, however slow the machine. */
const tellingShare = 50;

/** Goes up when what is kept changes its form or its numbers. */
const version = 5;

/** How far it has come; `results/series/quantities.bin`. It may be deleted: then all is looked through again. */
interface Progress {
  version: number;
  key: string;
  /** What the sums of the second zero are of. */
  zero: QuantitySettings['zero'];
  /** Rows that were taken of each segment, by the id in its header. */
  taken: Map<string, number>;
  state: RunState;
  /** Newest images, in order of time, which are not in the state yet. */
  held: ChosenFrame[];
  /** Length of `changes.jsonl`, and its CRC-32: it may be that of another look through all, which was not kept. */
  changesLength: number;
  changesCheck: number;
  /** A row came too late for its place: all is to be looked through. */
  isLate: boolean;
}

export interface FollowerOptions {
  files: Files;
  /** `results_dir`. */
  results: string;
  /** ms; only differences count. */
  monotonic: () => number;
  wait: (ms: number) => Promise<void>;
  signal: AbortSignal;
}

/**
 * Keeps `results/quantities.json` and `results/changes.jsonl` up with the series, from the rows alone. It claims nothing and locks nothing.
 *
 * Rows are taken in order of time: the newest few are held, and count for what is told, but what comes before them may still come. So the figures are
 * those of `readQuantities` at any moment. A row that comes too late for that (an image that was analysed anew) has all looked through again.
 * What was found is kept now and then; after a crash the same rows give the same changes, and the file of changes is taken up where it was then.
 */
export class QuantitiesFollower {
  readonly #options: FollowerOptions;
  readonly #stateFile: string;
  #settings: QuantitySettings;
  #progress: Progress | null = null;
  #isLoaded = false;
  #reader: SeriesReader | null = null;
  #tracker: RunTracker | null = null;
  #changes: ShiftChange[] = [];
  #notBefore = Number.NEGATIVE_INFINITY;
  #keptAt = Number.NaN;
  #isUnkept = false;
  #sliceFrom = 0;
  /** When it is given up; at the end of the pipeline. */
  #deadline = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #toldInMs = 0;

  constructor(settings: QuantitySettings, options: FollowerOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#stateFile = join(seriesFolder(options.results), 'quantities.bin');
  }

  /** New settings count from the next round on. */
  configure(settings: QuantitySettings): void {
    this.#settings = settings;
  }

  /** How long to rest after a round, ms. */
  get pauseMs(): number {
    return Math.max(shortestPauseMs, (this.#bytes / bytesPerSecond) * 1000, this.#toldInMs * tellingShare);
  }

  /**
   * Takes what is new and tells it. At the end of the pipeline it is kept too.
   * @returns what is known then; null where there is no image.
   * @throws the file system's errors; the next round tries again.
   */
  async round(isLast = false): Promise<RunFigures | null> {
    const { files, results, monotonic, signal } = this.#options;
    this.#sliceFrom = monotonic();
    this.#deadline = isLast ? this.#sliceFrom + longestEndMs : Number.POSITIVE_INFINITY;
    if (!this.#isLoaded) await this.#load();
    const reader = await SeriesReader.look(files, seriesFolder(results), { before: this.#reader });
    this.#reader = reader;
    if (reader.frames === 0) return null;
    const isOurs = this.#progress?.key === this.#settings.key && isAheadOf(reader, this.#progress);
    if (!isOurs || (this.#progress!.isLate && monotonic() >= this.#notBefore)) {
      if (!(await this.#lookThrough(reader))) return null;
    } else {
      if (!isDeepStrictEqual(this.#progress!.zero, this.#settings.zero)) await this.#rezero(reader);
      if (!signal.aborted) await this.#takeNew(reader);
    }
    if (signal.aborted) return null;
    await this.#writeChanges();
    const begun = monotonic();
    const { figures } = this.#tell();
    const text = quantitiesText(figures, !this.#progress!.isLate);
    this.#toldInMs = monotonic() - begun;
    this.#bytes = Buffer.byteLength(text);
    await writeAtomic(files, quantitiesFile(results), text, { durable: false });
    if (this.#isUnkept && (isLast || !(monotonic() - this.#keptAt < keepEveryMs))) await this.#keep();
    return figures;
  }

  /**
   * What is known, from what was kept and the rows since then; nothing is written. Changes have whole ms.
   * @returns null where all has to be looked through.
   * @throws the file system's errors
   */
  async look(): Promise<{ figures: RunFigures; changes: readonly ShiftChange[] } | null> {
    const { files, results } = this.#options;
    const progress = await this.#kept();
    const text = progress && (await this.#knownChanges(progress));
    if (!progress || text === null) return null;
    const reader = await SeriesReader.look(files, seriesFolder(results));
    if (progress.isLate || !isAheadOf(reader, progress)) return null;
    this.#progress = progress;
    this.#tracker = new RunTracker(this.#settings, progress.state);
    if (!isDeepStrictEqual(progress.zero, this.#settings.zero)) await this.#rezero(reader);
    await this.#takeNew(reader);
    if (this.#progress.isLate) return null;
    const told = this.#tell();
    return { figures: told.figures, changes: [...changesOf(text), ...this.#changes, ...told.changes] };
  }

  /** All rows, in order of time, of each image that of its newest analysis. False when it had to end before. */
  async #lookThrough(reader: SeriesReader): Promise<boolean> {
    const { results, files, monotonic } = this.#options;
    const begun = monotonic();
    const frames = await chooseFrames(reader, { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY });
    const tracker = new RunTracker(this.#settings);
    const held: ChosenFrame[] = [];
    const changes: ShiftChange[] = [];
    for await (const frame of frames.read()) {
      held.push(frame);
      if (held.length < heldFrames + together) continue;
      for (const change of this.#take(tracker, held.splice(0, together))) changes.push(change);
      if (await this.#isOver()) return false;
    }
    for (const change of this.#take(tracker, held.splice(0, held.length - heldFrames))) changes.push(change);
    const text = linesOf(changes);
    if (changes.length > 0 || (await files.stat(changesFile(results))))
      await writeAtomic(files, changesFile(results), text);
    this.#changes = [];
    this.#tracker = tracker;
    this.#progress = {
      version,
      key: this.#settings.key,
      zero: this.#settings.zero,
      taken: new Map(reader.segments.map(({ layout, counts }) => [layout.header.id, counts[0]!])),
      state: tracker.state,
      held,
      changesLength: Buffer.byteLength(text),
      changesCheck: crc32(text),
      isLate: false,
    };
    this.#isUnkept = true;
    const lasted = monotonic() - begun;
    this.#notBefore = monotonic() + Math.max(againMs, 10 * lasted);
    // What is kept has to be of the file of changes that stands there now.
    this.#keptAt = Number.NEGATIVE_INFINITY;
    return true;
  }

  /** Another second zero: from the images of that time alone, so that it is told at once, however long the run. */
  async #rezero(reader: SeriesReader): Promise<void> {
    const { key, zero } = this.#settings;
    const progress = this.#progress!;
    const tracker = new RunTracker(this.#settings, progress.state);
    const ofZero = new RunTracker(this.#settings);
    const { ring } = progress.state;
    const last = ring.times[(ring.count - 1) % ring.times.length]!;
    for await (const frame of (await chooseFrames(reader, zero ?? noTime)).read()) {
      // Those that are held come later.
      if (timeOf(frame) <= last) this.#take(ofZero, [frame]);
      if (await this.#isOver()) return;
    }
    tracker.takeZero(ofZero);
    this.#tracker = tracker;
    this.#progress = { ...progress, key, zero };
    this.#isUnkept = true;
  }

  async #takeNew(reader: SeriesReader): Promise<void> {
    const { taken } = this.#progress!;
    for (const { number, layout } of [...reader.segments].sort((a, b) => a.number - b.number)) {
      const segment = reader.segments.find(each => each.number === number)!;
      const { id, labels, sensors, flags, method, reference } = layout.header;
      for await (const { index, row } of segment.read(0, taken.get(id) ?? 0)) {
        taken.set(id, index + 1);
        this.#isUnkept = true;
        this.#hold({ row, labels, sensors, flags, method: method ?? '', reference: reference ?? null });
        if (await this.#isOver()) return;
      }
      taken.set(id, Math.max(taken.get(id) ?? 0, segment.counts[0]!));
    }
  }

  /** Puts an image in its place among the newest, and takes the oldest of them. */
  #hold(frame: ChosenFrame): void {
    const { held, state } = this.#progress!;
    const { row } = frame;
    const same = row.id === '' ? -1 : held.findIndex(other => other.row.id === row.id);
    if (same >= 0) {
      if (held[same]!.row.attempt <= row.attempt) held[same] = frame;
      return;
    }
    const time = timeOf(frame);
    const last = state.ring.times[(state.ring.count - 1) % state.ring.times.length]!;
    if (state.ring.count > 0 && (time < last || (time === last && row.attempt > 1))) {
      this.#progress!.isLate = true;
      return;
    }
    const place = held.findLastIndex(other => timeOf(other) <= time) + 1;
    held.splice(place, 0, frame);
    if (held.length > heldFrames) this.#changes.push(...this.#take(this.#tracker!, held.splice(0, 1)));
  }

  #take(tracker: RunTracker, frames: readonly ChosenFrame[]): ShiftChange[] {
    return tracker.takeAll(frames.map(({ row, ...header }) => trackedFrame(row, header, this.#settings.sensor)));
  }

  /** With the images that are held, and the changes that are found with these. */
  #tell(): { figures: RunFigures; changes: readonly ShiftChange[] } {
    const { state, held } = this.#progress!;
    const now = new RunTracker(this.#settings, structuredClone(state));
    const changes = this.#take(now, held);
    return { figures: now.figures(this.#settings.sensor || (held.at(-1)?.sensors[0] ?? null)), changes };
  }

  /** Lets others work where there is much to do. True when it is to end. */
  async #isOver(): Promise<boolean> {
    const { monotonic, wait, signal } = this.#options;
    if (signal.aborted || monotonic() > this.#deadline) return true;
    if (monotonic() - this.#sliceFrom < sliceMs) return false;
    await wait(this.#deadline === Number.POSITIVE_INFINITY ? restMs : 0);
    this.#sliceFrom = monotonic();
    return signal.aborted;
  }

  async #writeChanges(): Promise<void> {
    const { files, results } = this.#options;
    if (this.#changes.length === 0) return;
    const data = Buffer.from(linesOf(this.#changes));
    const progress = this.#progress!;
    try {
      const { offset, length } = await appendDurably(files, changesFile(results), data, {
        keep: 'nothing',
        folder: results,
        least: progress.changesLength,
      });
      this.#changes = [];
      // Somebody else has written to it.
      if (offset !== progress.changesLength) progress.isLate = true;
      progress.changesLength = offset + length;
      progress.changesCheck = crc32(data, progress.changesCheck);
    } catch (error) {
      // The next round makes all of it again.
      if (error instanceof ShorterFileError) this.#progress = null;
      throw error;
    }
  }

  async #keep(): Promise<void> {
    const { files, monotonic } = this.#options;
    await writeAtomic(files, this.#stateFile, serialize(this.#progress));
    this.#keptAt = monotonic();
    this.#isUnkept = false;
  }

  /** Goes on where it was kept last. What is damaged or of another version counts for nothing. */
  async #load(): Promise<void> {
    const { files, results, monotonic } = this.#options;
    const progress = await this.#kept();
    if (progress) {
      const file = changesFile(results);
      if ((await this.#knownChanges(progress)) !== null) {
        const there = (await files.stat(file))?.size ?? 0;
        if (there > progress.changesLength) await cut(files, file, progress.changesLength);
        this.#progress = progress;
        this.#tracker = new RunTracker(this.#settings, progress.state);
      }
    }
    this.#keptAt = monotonic();
    this.#isLoaded = true;
  }

  /** The text of the changes that what was kept belongs to; null where the file is another. */
  async #knownChanges({ changesLength, changesCheck }: Progress): Promise<string | null> {
    const { files, results } = this.#options;
    if (changesLength === 0) return '';
    const known = await readBytes(files, changesFile(results), 0, changesLength).catch(() => null);
    return known?.length === changesLength && crc32(known) === changesCheck ? String(known) : null;
  }

  async #kept(): Promise<Progress | null> {
    try {
      const kept = deserialize(await readBytes(this.#options.files, this.#stateFile)) as Progress;
      return kept.version === version && kept.key === this.#settings.key ? kept : null;
    } catch {
      // It is made again from the series.
      return null;
    }
  }
}

const noTime = { from: 0, end: 0 };

/** What the pipeline has found of a run, with the images since then; see {@link QuantitiesFollower.look}. */
export const lookAtKept = (
  settings: QuantitySettings,
  results: string,
  files: Files,
): ReturnType<QuantitiesFollower['look']> =>
  new QuantitiesFollower(settings, {
    files,
    results,
    monotonic: () => 0,
    wait: async () => undefined,
    signal: new AbortController().signal,
  }).look();

const timeOf = ({ row }: ChosenFrame): number => (Number.isNaN(row.utc) ? row.local : row.utc);

const linesOf = (changes: readonly ShiftChange[]): string =>
  changes
    .map(
      change =>
        `${JSON.stringify({ ...change, time: new Date(Math.round(change.time)).toISOString().slice(0, 23) })}\n`,
    )
    .join('');

const changesOf = (text: string): ShiftChange[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
    .map(change => ({ ...change, time: clockTime(change.time) }));

async function cut(files: Files, path: string, length: number): Promise<void> {
  const file = await files.open(path, 'r+');
  try {
    await file.truncate(length);
    await syncGrown(files, path, file);
  } finally {
    await file.close();
  }
}

/** Whether all that was taken is still there. */
function isAheadOf(reader: SeriesReader, { taken }: Progress): boolean {
  const counts = new Map(reader.segments.map(({ layout, counts: [rows] }) => [layout.header.id, rows!]));
  return [...taken].every(([id, rows]) => (counts.get(id) ?? -1) >= rows);
}
