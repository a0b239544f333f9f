/**
 * A folder of old images as a source of frames: `replay`, and `camera_type = "file_importer"`.
 *
 * Contract: opening lists the names and, where there are any, reads Micro-Manager's metadata; no image is opened for it, so
 * 100,000 start to flow within seconds. `next` gives the images in time order (by name where only EXIF or modification times
 * are known; these are read a few images ahead) and null at the end. An image that can't be read for its time is delivered
 * all the same, so that it becomes a failed entry and not a silent gap. Nothing is ever written to the folder. A rejection
 * means the folder can't be replayed at all (SourceError). `close` waits for the few reads in flight; nothing else is held.
 */

import { resolve } from 'node:path';
import type { SourceSettings } from '../../config/sourceSettings.ts';
import type { Clock } from '../../model/clock.ts';
import type { ImportedFrame } from '../../model/frame.ts';
import type { FrameSource, Recording } from '../../model/frameSource.ts';
import { timeOfDayText } from '../../model/namedTime.ts';
import { counted } from '../../model/quantity.ts';
import { between } from './estimateMissing.ts';
import type { FolderNote } from './folderNotes.ts';
import { folderNotes, type ImageFolderDescription, NoteTally } from './folderNotes.ts';
import { listImages } from './imageListing.ts';
import { readTime, timeImages } from './imageTimes.ts';
import type { ImageTimeSource, ListedImage } from './listedImage.ts';
import { SourceError } from './sourceError.ts';
import { everyNth, imagesInRange, type TimeRange, timeRange, timeRangeWithin } from './timeRange.ts';
import { elapsedBetween, instantOf, type WallTime, wallTimeOf } from './wallTime.ts';

export type ImageFolderOptions = Pick<SourceSettings, 'folder' | 'every' | 'from' | 'to' | 'limit' | 'series'>;

export interface ImageFolderDeps {
  clock: Clock;
  /** What a person should know: oddities of the folder, time that runs backwards, images that can't be read. */
  note(note: FolderNote): void;
  /** Gives up the opening. */
  signal?: AbortSignal | undefined;
}

export interface ImageFolderSource extends FrameSource {
  readonly description: ImageFolderDescription;
}

/** As in the manifests of the Python system. */
const cameraIndex = 'IMAGE_IMPORTER';
/** Images whose times are read ahead: hides the latency of a network share, and is soon dropped. */
const readAhead = 16;

/**
 * @throws SourceError: `usage` and `empty_range` for options, else what is wrong with the folder; the reason of `deps.signal`.
 */
export async function openImageFolder(options: ImageFolderOptions, deps: ImageFolderDeps): Promise<ImageFolderSource> {
  const every = wholeNumber('every', options.every ?? 1);
  const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('limit', options.limit);
  const { from, to } = options;
  // What can be told to be wrong without the images is told at once.
  const dated = (text?: string): string | undefined =>
    text === undefined || timeOfDayText(text) !== null ? undefined : text;
  timeRange(dated(from), dated(to));
  const listing = await listImages(resolve(options.folder), deps.signal);
  const { folder } = listing;
  const now = deps.clock.now();
  const timed = await timeImages(listing.folders, { folder, series: options.series, now }, deps.signal);
  const description: ImageFolderDescription = {
    folder,
    folders: listing.folders.map(({ path }) => path),
    timeSource: timed.source,
    images: timed.images.length,
    ignored: listing.ignored,
  };
  for (const note of folderNotes(description, timed, listing)) deps.note(note);

  const [first, last] = [timed.images[0], timed.images.at(-1)].map(image => image?.time?.wallMs ?? Number.NaN);
  const range = from === undefined && to === undefined ? null : timeRangeWithin(from, to, first!, last!);
  if (range && (timed.source === 'exif' || timed.source === 'mtime'))
    return new FolderOfImages(description, timed.images, range, every, limit, deps);
  const inRange = range ? imagesInRange(timed.images, range, folder) : timed.images;
  return new FolderOfImages(description, everyNth(inRange, every, limit), null, 1, Number.POSITIVE_INFINITY, deps);
}

class FolderOfImages implements ImageFolderSource {
  readonly pace = 'own';
  readonly total: number | null;
  readonly description: ImageFolderDescription;
  readonly recording?: Recording;
  readonly #images: readonly ListedImage[];
  /** Left to apply while reading, where times are only known then. */
  readonly #range: TimeRange | null;
  readonly #every: number;
  readonly #limit: number;
  readonly #deps: ImageFolderDeps;
  readonly #reading = new Map<number, Promise<ReadImage>>();
  readonly #tally: NoteTally;
  #index = 0;
  #ahead = 0;
  #inRange = 0;
  #delivered = 0;
  #previous: WallTime | null = null;
  #elapsedMs = 0;
  /** The last interval, ms. */
  #step = 0;

  constructor(
    description: ImageFolderDescription,
    images: readonly ListedImage[],
    range: TimeRange | null,
    every: number,
    limit: number,
    deps: ImageFolderDeps,
  ) {
    this.description = description;
    this.#images = images;
    this.#range = range;
    this.#every = every;
    this.#limit = limit;
    this.#deps = deps;
    this.#tally = new NoteTally(deps.note);
    this.total = range ? null : images.length;
    if (!range) this.recording = this.#recordingOf(images);
  }

  async next(signal: AbortSignal): Promise<ImportedFrame | null> {
    while (this.#index < this.#images.length && this.#delivered < this.#limit) {
      signal.throwIfAborted();
      const image = this.#images[this.#index];
      const read = await this.#read(this.#index, signal);
      this.#index++;
      if (this.#range && !this.#wanted(read)) continue;
      this.#delivered++;
      return this.#frame(image, read);
    }
    this.#finish();
    return null;
  }

  async close(): Promise<void> {
    this.#finish();
    await Promise.all(this.#reading.values());
    this.#reading.clear();
  }

  #recordingOf(images: readonly ListedImage[]): Recording {
    const elapsed = elapsedTimes(images);
    const elapsedOf = (number: number): number | null => elapsed?.[number - 1] ?? null;
    return {
      count: images.length,
      lengthMs: elapsedOf(images.length),
      timeOf: number => images[number - 1]?.time?.wallMs ?? null,
      elapsedOf,
      seek: number => {
        this.#index = number - 1;
        this.#ahead = this.#index;
        this.#previous = null;
        this.#elapsedMs = elapsedOf(number) ?? this.#elapsedMs;
      },
    };
  }

  /** The time of one image, while those of the next ones are on their way. */
  async #read(index: number, signal: AbortSignal): Promise<ReadImage> {
    const end = Math.min(index + readAhead, this.#images.length);
    for (this.#ahead = Math.max(this.#ahead, index); this.#ahead < end; this.#ahead++) {
      const image = this.#images[this.#ahead];
      if (!image.time && !this.#reading.has(this.#ahead))
        this.#reading.set(this.#ahead, readImage(image, this.description.timeSource));
    }
    const pending = this.#reading.get(index);
    const { time, source = this.description.timeSource } = this.#images[index];
    if (!pending) return { time, source, error: null };
    let read = await unlessAborted(pending, signal);
    if (read.time === null && read.error === null) read = await this.#estimated(index, signal);
    this.#reading.delete(index);
    return read;
  }

  /** The time of an image that tells none, from those around it: its file may have been copied years later. */
  async #estimated(index: number, signal: AbortSignal): Promise<ReadImage> {
    const end = Math.min(index + readAhead, this.#images.length);
    let after: WallTime | null = null;
    let next = index + 1;
    for (; next < end && after === null; next++) {
      after = (await unlessAborted(this.#reading.get(next) ?? Promise.resolve(null), signal))?.time ?? null;
    }
    if (after === null && this.#previous === null) return readImage(this.#images[index], 'mtime');
    const parts = after === null ? 1 : next - index;
    return { time: between(this.#previous, after, 1, parts, this.#step), source: 'estimated', error: null };
  }

  /** An image whose time is unknown is wanted: leaving it out would lose it silently. */
  #wanted({ time }: ReadImage): boolean {
    const { from, end } = this.#range as TimeRange;
    if (time && (time.wallMs < from || time.wallMs >= end)) return false;
    return this.#inRange++ % this.#every === 0;
  }

  #frame({ folder, name }: ListedImage, { time, source, error }: ReadImage): ImportedFrame {
    const { timeSource } = this.description;
    const previous = this.#previous;
    if (error !== null) {
      this.#tally.count(
        'unreadable',
        `${folder}/${name}: its time can't be read (${error}); it is delivered as it stands`,
      );
    } else if (time) {
      if (timeSource === 'exif' && source !== 'exif')
        this.#tally.count(
          'otherSource',
          `${folder}/${name}: no time from exif; its time is ${source === 'estimated' ? 'estimated from the images around it' : `from ${source}`}`,
        );
      const step = previous ? elapsedBetween(previous, time) : 0;
      if (step < 0) {
        this.#tally.count(
          'backwards',
          `${folder}/${name}: taken ${(-step / 1000).toFixed(3)} s before the image ahead of it by name; the order of the names is kept`,
        );
      }
      // Intervals are added up, so that a clock that was set back keeps its pace from there on.
      this.#elapsedMs += Math.max(0, step);
      if (step > 0) this.#step = step;
      this.#previous = time;
    }
    return {
      kind: 'imported',
      folder,
      filename: name,
      taken: instantOf(time ?? previous ?? wallTimeOf(this.#deps.clock.now()), source),
      elapsedMs: this.#elapsedMs,
      cameraIndex,
    };
  }

  #finish(): void {
    this.#tally.sum('unreadable', count => `${counted(count, 'image')} in all whose time could not be read`);
    this.#tally.sum(
      'otherSource',
      count =>
        `${counted(count, 'image has its', 'images have their')} time from elsewhere, in all; the entries say where`,
    );
    this.#tally.sum('backwards', count => `time runs backwards at ${counted(count, 'image')} in all`);
    if (this.#range && this.#delivered === 0 && this.#index === this.#images.length)
      this.#tally.count('empty', `${this.description.folder}: no image was taken between the times asked for`);
  }
}

/** Recorded time up to each image, ms; a clock that was set back keeps its pace from there on. Null where a time is not known yet. */
function elapsedTimes(images: readonly ListedImage[]): Float64Array | null {
  const elapsed = new Float64Array(images.length);
  for (let i = 0; i < images.length; i++) {
    const { time } = images[i];
    if (!time) return null;
    if (i > 0) elapsed[i] = elapsed[i - 1]! + Math.max(0, elapsedBetween(images[i - 1]!.time as WallTime, time));
  }
  return elapsed;
}

interface ReadImage {
  time: WallTime | null;
  source: ImageTimeSource;
  error: string | null;
}

const readImage = (image: ListedImage, chosen: ImageTimeSource): Promise<ReadImage> =>
  readTime(image, chosen).then(
    time => ({ time, source: chosen, error: null }),
    (error: NodeJS.ErrnoException) => ({ time: null, source: 'mtime', error: error.code ?? error.message }),
  );

function wholeNumber(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new SourceError('usage', `${option}: ${value} is not a whole number from 1 up`);
}

/** The promise's value, or the signal's reason as soon as it is aborted; the promise itself goes on. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolvePromise, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolvePromise, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
