import { basename, dirname } from 'node:path';
import type { FileStat } from '../../files/files.ts';
import type { CallGate } from '../../files/filesWithDeadline.ts';
import { deterministicId } from '../../manifest/normaliseEntry.ts';
import type { Clock } from '../../model/clock.ts';
import { plainName } from '../../model/compression.ts';
import type { ImportedFrame } from '../../model/frame.ts';
import { counted, duration } from '../../model/quantity.ts';
import { exifTime } from '../folder/exifTime.ts';
import type { NoteTally } from '../folder/folderNotes.ts';
import type { ImageTimeSource } from '../folder/listedImage.ts';
import { nameTime } from '../folder/nameTime.ts';
import { instantOf, type WallTime, wallTimeOf } from '../folder/wallTime.ts';
import type { Arrival } from './arrivals.ts';
import type { WatchedTree } from './watchedTree.ts';

const cameraIndex = 'WATCH_FOLDER';
/** Of the last images times and names are remembered: none has the time of another, and one that is replaced is told. */
const maxRemembered = 4096;
/** A time in a name or in the image that is further from the file's own is not when it was taken, ms: clocks and zones differ by less. */
const agreesWithin = 26 * 3_600_000;

/** Some servers and disks give 1601, 1970 or 1980 where they know no time: then it was now. */
const earliestMs = Date.UTC(1990, 0);

export interface ArrivedFramesOptions {
  tree: WatchedTree;
  tally: NoteTally;
  /** For reading what a camera has written into an image. */
  gate: CallGate;
  clock: Clock;
  /** How long an image that is cut off was waited for, ms. */
  patienceMs: number;
}

/** Makes frames of images whose turn has come: each with an id, and a time that no other has. What is odd about one is noted. */
export class ArrivedFrames {
  readonly #options: ArrivedFramesOptions;
  /** Of the last images, microseconds. */
  readonly #times = new Set<number>();
  readonly #lastPaths = new Set<string>();

  constructor(options: ArrivedFramesOptions) {
    this.#options = options;
  }

  async frameOf(image: Arrival): Promise<ImportedFrame> {
    const { path, wholeness, isLate } = image;
    const at = this.#options.tree.at(path);
    if (wholeness === 'cut')
      this.#options.tally.count(
        'cut',
        `${at}: has not become whole in ${duration(this.#options.patienceMs)} (${image.size} bytes); it is taken in as it stands. When it is written to the end, it is taken in once more`,
      );
    if (this.#lastPaths.has(path))
      this.#options.tally.count(
        'replaced',
        `${at}: was written anew after it was taken in, and is another image now; the entry before names the same file. Let the other program give each image a name of its own`,
      );
    else if (isLate)
      this.#options.tally.count(
        'late',
        `${at}: came after an image that follows it by name, and has its place after that`,
      );
    remember(this.#lastPaths, path);
    const { time, source } = await this.#timeOf(image);
    return {
      kind: 'imported',
      folder: dirname(at),
      filename: basename(at),
      taken: instantOf(this.#apart(time), source),
      elapsedMs: 0,
      cameraIndex,
      id: this.idOf(path, image),
    };
  }

  /** When it was taken: what its name says, or the camera has written into it, if that agrees with the file's own time; else that. */
  async #timeOf({ path, mtimeMs }: Arrival): Promise<{ time: WallTime; source: ImageTimeSource }> {
    const now = this.#options.clock.now();
    const isTime = mtimeMs > earliestMs && mtimeMs < now + 365 * agreesWithin;
    const modified = wallTimeOf(isTime ? mtimeMs : now);
    const agrees = (time: WallTime | null | undefined): time is WallTime =>
      time != null && Math.abs(time.wallMs - modified.wallMs) <= agreesWithin;
    const named = nameTime(basename(path))?.time;
    if (agrees(named)) return { time: named, source: 'name' };
    const at = this.#options.tree.at(path);
    const tagged = await this.#options.gate.pass(at, () => exifTime(at)).catch(() => null);
    return agrees(tagged) ? { time: tagged, source: 'exif' } : { time: modified, source: 'mtime' };
  }

  /** Files of one burst have one time, since the system's clock for them ticks every 4 ms: each image has a microsecond of its own. */
  #apart(time: WallTime): WallTime {
    let micros = Math.round(time.wallMs * 1000);
    while (this.#times.has(micros)) micros++;
    remember(this.#times, micros);
    return { ...time, wallMs: micros / 1000 };
  }

  /** Some disks keep times to two seconds. An image that is compressed afterwards stays the same. */
  idOf(path: string, { mtimeMs }: Pick<FileStat, 'mtimeMs'>): string {
    const at = this.#options.tree.at(path);
    return deterministicId(dirname(at), plainName(basename(at)), String(Math.floor(mtimeMs / 2000)));
  }

  /** Says how many were odd in all. */
  close(): void {
    const { tally } = this.#options;
    tally.sum('late', count => `${counted(count, 'image')} in all came after one that follows by name`);
    tally.sum('replaced', count => `${counted(count, 'image')} in all replaced after they were taken in`);
    tally.sum('cut', count => `${counted(count, 'image')} in all never became whole`);
  }
}

/** Adds to a set, and forgets the oldest beyond so many. */
function remember<T>(set: Set<T>, value: T): void {
  set.add(value);
  if (set.size > maxRemembered) set.delete(set.values().next().value!);
}
