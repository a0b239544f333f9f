/**
 * Chooses, once for all images of a replay, where their times come from: Micro-Manager's metadata, the names, EXIF, the
 * modification time: the first that serves. A source serves when it gives a time to at least half of the images (of some images
 * spread over the run, where the files have to be read for it), and when its time advances: one time for all frames, or the start of
 * the run in every name, is none. An image that the chosen source leaves out keeps its place by name. Its time is that of the file
 * where file times agree with the source at its neighbours; else it is estimated from its neighbours and the cadence.
 */

import { join } from 'node:path';
import { plainName } from '../../model/compression.ts';
import { counted } from '../../model/quantity.ts';
import { estimateMissing } from './estimateMissing.ts';
import type { ImageFolder } from './imageListing.ts';
import { chooseSeries, findSeries } from './imageSeries.ts';
import { type FileTimes, fileTimes, type ImageTimeSource, type ListedImage, spread } from './listedImage.ts';
import { foldedName, type MicroManagerMetadata, readMicroManagerMetadata } from './microManagerMetadata.ts';
import { type NameTimes, nameTimes } from './nameTime.ts';
import { hourComesTwice, zonesFromFiles } from './repeatedHour.ts';
import { elapsedBetween, instantOf, type WallTime, wallTimeOf } from './wallTime.ts';
import { unwrapCounter } from './wrappedCounter.ts';

export interface TimedImages {
  source: ImageTimeSource;
  /** By time for `metadata` and `name`, else by name. */
  images: ListedImage[];
  /** Images whose time the chosen source does not know. */
  untimed: number;
  /** Why a better source is not used, and what is wrong with the one that is. */
  doubts: string[];
}

export interface LegacyNote {
  level: 'info' | 'warning';
  message: string;
}

export interface TimingOptions {
  /** What messages name. */
  folder: string;
  /** Which of several series; see `chooseSeries`. */
  series?: string | undefined;
  /** Milliseconds since 1970 UTC: images of tomorrow are doubted. */
  now: number;
}

/** Images that are looked at to judge a source whose times are in the files. */
const probeCount = 5;
const serves = (timed: number, images: number): boolean => timed > 0 && 2 * timed >= images;

/** @throws SourceError `several_series`; the signal's reason. */
export async function timeImages(
  folders: readonly ImageFolder[],
  { folder, series, now }: TimingOptions,
  signal?: AbortSignal,
  files: FileTimes = fileTimes,
): Promise<TimedImages> {
  const all = folders.flatMap(({ path, images: names }) =>
    names.map((name): ListedImage => ({ folder: path, name, time: null })),
  );
  const described = await readAllMetadata(folders, all, signal);
  const isComplete = described.times.size === all.length;
  const named: NameTimes = isComplete ? { times: [], reading: null } : nameTimes(all.map(({ name }) => name));
  const strays: string[] = [];
  const chosen = chooseSeries(
    findSeries(
      all.map(({ name }, i) => {
        const fromName = named.times[i] ?? null;
        return {
          name,
          rest: fromName?.rest ?? name,
          time: (described.times.get(all[i]!) ?? fromName?.time)?.wallMs ?? null,
        };
      }),
      strays,
    ),
    series,
    folder,
  );
  const images = chosen.map(i => all[i] as ListedImage);
  const { doubts } = described;
  if (strays.length > 0 && series === undefined)
    doubts.push(
      `${counted(strays.length, 'image is', 'images are')} named otherwise than the others, and replayed in the order of names (the first: ${JSON.stringify(strays[0])})`,
    );

  if (described.present) {
    const timed = setTimes(images, image => described.times.get(image) ?? null);
    if (!serves(timed, images.length))
      doubts.push(`metadata.txt gives a time to ${timed} of ${counted(images.length, 'image')}: it is not used`);
    else if (!advances(images))
      doubts.push('the times that can be read in metadata.txt do not advance: it is not used');
    else return inTimeOrder('metadata', images, doubts, files);
  }

  const timed = setTimes(images, (_, i) => named.times[chosen[i] as number]?.time ?? null);
  const standing = serves(timed, images.length) ? await standsStill(images, files) : null;
  if (serves(timed, images.length) && standing === null) {
    if (named.reading) doubts.push(`the dates in the names can be read in two ways; they are read as ${named.reading}`);
    return inTimeOrder('name', images, doubts, files);
  }
  if (standing !== null) doubts.push(standing.reason);
  const fromNames = standing?.better === 'none' ? images.map(image => ({ ...image })) : null;

  setTimes(images, () => null);
  const source = fromNames ? null : await sourceInFiles(images, now, doubts, files);
  if (source === null) return inTimeOrder('name', fromNames ?? images, doubts, files);
  await unwrapCounter(images, source, doubts, files);
  return { source, images, untimed: 0, doubts };
}

/** The time of an image that its list does not give, by the chosen source; null when the image has none. */
export async function readTime(image: ListedImage, chosen: ImageTimeSource): Promise<WallTime | null> {
  return chosen === 'exif' ? fileTimes.exif(image) : wallTimeOf(await fileTimes.modified(image));
}

/** Returns how many got one. */
function setTimes(
  images: readonly ListedImage[],
  timeOf: (image: ListedImage, index: number) => WallTime | null,
): number {
  let timed = 0;
  for (const [i, image] of images.entries()) {
    image.time = timeOf(image, i);
    if (image.time) timed++;
  }
  return timed;
}

function advances(images: readonly ListedImage[]): boolean {
  const times = images.flatMap(({ time }) => (time ? [time] : []));
  return times.length < 2 || times.some(time => elapsedBetween(times[0] as WallTime, time) !== 0);
}

/** Frames that a camera took within one second of its name may well follow each other in less than this, ms. */
const withinOneName = { exif: 1500, mtime: 2500 };
/** File times are those of the run, and not of a copy, when the first is within this of the first name, ms: any zone. */
const anyZone = 15 * 3_600_000;

/**
 * Whether neighbours mostly have one time in their names although other times say that they were taken one after the other, as
 * where every name has the start of the run. Null when they have not; `better` says whether another source knows better.
 */
async function standsStill(
  images: readonly ListedImage[],
  files: FileTimes,
): Promise<{ reason: string; better: 'exif' | 'mtime' | 'none' } | null> {
  const pairs: number[] = [];
  for (let i = 1; i < images.length; i++) {
    const [before, now] = [images[i - 1]?.time, images[i]?.time];
    if (before && now && elapsedBetween(before, now) === 0) pairs.push(i);
  }
  if (images.length < 2 || 2 * pairs.length < images.length) return null;
  const tied = spread(pairs.length, probeCount).map(i => pairs[i] as number);
  const steps = async (timeOf: (image: ListedImage) => Promise<number | null>): Promise<number[]> => {
    const found = await Promise.all(
      tied.map(async i => {
        const [a, b] = await Promise.all([timeOf(images[i - 1] as ListedImage), timeOf(images[i] as ListedImage)]);
        return a === null || b === null ? [] : [b - a];
      }),
    );
    return found.flat().sort((a, b) => a - b);
  };
  const middle = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? 0;
  const exif = await steps(async image => (await files.exif(image).catch(() => null))?.wallMs ?? null);
  const reason = advances(images)
    ? 'many names have the same time, as where it is that of the start of a run'
    : 'the names all have the same time, as where it is that of the start of the run';
  if (2 * exif.length >= tied.length && middle(exif) > withinOneName.exif) return { reason, better: 'exif' };
  const first = await files.modified(images[0] as ListedImage).catch(() => Number.NaN);
  const copied = !(Math.abs(first - (images[0]?.time?.wallMs ?? 0)) < anyZone);
  const modified = await steps(image => files.modified(image).catch(() => null));
  if (!copied && (modified[0] ?? -1) >= 0 && middle(modified) > withinOneName.mtime) return { reason, better: 'mtime' };
  // Frames in quick succession: the other times that have no finer steps stand still with the names.
  if (advances(images) && 2 * exif.length >= tied.length) return null;
  if (!copied && modified.every(step => step <= withinOneName.mtime)) return null;
  return {
    reason: `${reason}, and no other time tells when they were taken: their order is that of the names`,
    better: 'none',
  };
}

const firstCredible = Date.UTC(1990, 0, 1);
const day = 86_400_000;

/** EXIF when most probes have it and it advances, else the modification time. What is odd about them goes to `doubts`. */
async function sourceInFiles(
  images: readonly ListedImage[],
  now: number,
  doubts: string[],
  files: FileTimes,
): Promise<'exif' | 'mtime'> {
  // A probe that can't be read says nothing; when its turn comes, it is reported.
  const probes = await Promise.all(
    spread(images.length, probeCount).map(async i => {
      const image = images[i] as ListedImage;
      const [exif, modified] = await Promise.all([
        files.exif(image).catch(() => null),
        files.modified(image).catch(() => null),
      ]);
      return { time: exif, exif: exif?.wallMs ?? null, modified };
    }),
  );
  const modified = probes.flatMap(probe => (probe.modified === null ? [] : [probe.modified]));
  const known = probes.filter(probe => probe.exif !== null);
  if (2 * known.length > probes.length) {
    const times = known.map(probe => probe.exif as number);
    const unset = times.every(isUnset);
    const reset = clockReset(known);
    const alike = known.every(
      (probe, i) =>
        i === 0 ||
        Math.abs(
          (probe.modified ?? Number.NaN) -
            (known[0]?.modified ?? Number.NaN) -
            ((times[i] as number) - (times[0] as number)),
        ) <= withinOneName.mtime,
    );
    if (probes.length > 1 && times.every(time => time === times[0]))
      doubts.push('EXIF gives all images the same time: it is not used');
    else if (reset) doubts.push(`${reset}: the camera's clock was set in the middle of the run, and EXIF is not used`);
    else if (!unset) {
      if (known.length < probes.length)
        doubts.push(
          `${probes.length - known.length} of ${counted(probes.length, 'image')} looked at ${probes.length - known.length === 1 ? 'has' : 'have'} no time from EXIF, and gets one from the images around it`,
        );
      return 'exif';
    } else if (alike)
      doubts.push("the camera's clock was not set (EXIF says so), and the file times advance as it does");
    else {
      doubts.push("the camera's clock was not set: intervals are right, dates are not");
      return 'exif';
    }
  } else if (known.length > 0)
    doubts.push(`EXIF gives a time to ${known.length} of ${counted(probes.length, 'image')} looked at: it is not used`);
  if (modified.length > 1 && modified.every(time => time === modified[0]))
    doubts.push('the file times are all the same, as after a copy: only the order of the names tells which was first');
  // A machine that has no clock itself can't judge.
  else if (modified.some(time => time < firstCredible || (now > firstCredible && time > now + day)))
    doubts.push('some file times are before 1990 or in the future: the clock that wrote them was wrong');
  return 'mtime';
}

/** What cameras begin with when nobody has set their clocks: 1970, 1980, 1 January 2000. */
const isUnset = (time: number): boolean => time < firstCredible || Math.floor(time / day) === 10_957;

/**
 * From which time to which EXIF leaps where the clock was set within the run; null where it was not. The file times tell, where they
 * advance as EXIF does at the other images. A leap of years back, or on from a clock that was not set, needs no witness.
 */
function clockReset(images: readonly { exif: number | null; modified: number | null }[]): string | null {
  const steps = images.slice(1).map((image, i) => {
    const [from, to] = [images[i]?.exif ?? 0, image.exif ?? 0];
    return { from, to, exif: to - from, file: (image.modified ?? Number.NaN) - (images[i]?.modified ?? Number.NaN) };
  });
  const isLeap = ({ exif, file }: { exif: number; file: number }): boolean => exif < -day || exif > file + day;
  const others = steps.filter(step => !isLeap(step));
  const filesTell =
    others.length > 0 &&
    others.every(({ exif, file }) => Math.abs(exif - file) <= withinOneName.mtime + Math.abs(exif) / 100);
  const leap = steps.find(
    step =>
      isLeap(step) &&
      ((filesTell && step.file >= 0) || step.exif < -365 * day || (step.exif > 365 * day && isUnset(step.from))),
  );
  if (!leap) return null;
  const [from, to] = [leap.from, leap.to].map(wallMs =>
    instantOf({ wallMs, zoneMinutes: null }, 'exif').local.slice(0, 19),
  );
  return `EXIF leaps from ${from} to ${to}`;
}

interface DescribedImages {
  times: Map<ListedImage, WallTime>;
  /** There is a metadata file, readable or not. */
  present: boolean;
  /** What is odd about the files. */
  doubts: string[];
}

async function readAllMetadata(
  folders: readonly ImageFolder[],
  images: readonly ListedImage[],
  signal?: AbortSignal,
): Promise<DescribedImages> {
  const described: DescribedImages = { times: new Map(), present: false, doubts: [] };
  for (const { path, hasMetadata } of folders) {
    if (!hasMetadata) continue;
    const file = join(path, 'metadata.txt');
    try {
      const metadata = await readMicroManagerMetadata(file, signal);
      described.present = true;
      const inFolder = images.filter(image => image.folder === path);
      const absent = matchNames(metadata, inFolder, described.times);
      for (const message of oddities(metadata, absent, inFolder, described.times))
        described.doubts.push(`${file}: ${message}`);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      described.doubts.push(`${file}: can't be read (${(error as Error).message}); other times are used`);
    }
  }
  return described;
}

/**
 * Gives images the times of the names in a file: by the same name, else by one that differs in case, in the form of its accents or
 * in the kind of image (a folder that was converted) only, where that can be but one. Returns the names that are no image here.
 */
function matchNames(
  { times }: MicroManagerMetadata,
  images: readonly ListedImage[],
  into: Map<ListedImage, WallTime>,
): string[] {
  let open: ListedImage[] = [];
  for (const image of images) {
    const name = plainName(image.name);
    const time = times.get(name);
    if (time) into.set(image, time);
    else open.push(image);
  }
  if (images.length - open.length === times.size) return [];
  const left = new Set(times.keys());
  for (const { name } of images) left.delete(plainName(name));
  for (const form of [foldedName, (name: string) => foldedName(name).replace(/(?:\.ome)?\.[^.]+$/, '')]) {
    if (open.length === 0 || left.size === 0) break;
    const named = byForm(left, form);
    const listed = byForm(open, image => form(plainName(image.name)));
    open = open.filter(image => {
      const key = form(plainName(image.name));
      const [name, ...more] = named.get(key) ?? [];
      if (name === undefined || more.length > 0 || listed.get(key)?.length !== 1) return true;
      into.set(image, times.get(name) as WallTime);
      left.delete(name);
      return false;
    });
  }
  return [...left];
}

function byForm<T>(items: Iterable<T>, form: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = form(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function oddities(
  { frames, stack, cutOff, stopWatchFails, unreadTime }: MicroManagerMetadata,
  absent: readonly string[],
  images: readonly ListedImage[],
  times: ReadonlyMap<ListedImage, WallTime>,
): string[] {
  const found: string[] = [];
  if (stopWatchFails)
    found.push('ElapsedTime-ms stands still or starts again, so the times that were written for each frame are used');
  // A stop-watch that runs is finer, and needs no other time.
  if (
    unreadTime !== null &&
    (stopWatchFails || !advances(images.map(image => ({ ...image, time: times.get(image) ?? null }))))
  )
    found.push(`the time ${JSON.stringify(unreadTime)} that is written for a frame is in no known form`);
  if (cutOff)
    found.push(
      `ends in the middle, as of a run that was cut off; the ${counted(frames, 'frame before that is', 'frames before that are')} used`,
    );
  if (stack)
    found.push(
      `${stack.name} holds ${counted(stack.frames, 'frame')} in one file; such image stacks can't be read, save them as separate images`,
    );
  if (absent.length > 0) {
    const unknown = images.find(image => !times.has(image));
    found.push(
      `names ${counted(absent.length, 'image that is', 'images that are')} not in the folder (the first: ${JSON.stringify(absent[0])}` +
        `${unknown ? `; an image that it does not name: ${JSON.stringify(unknown.name)}` : ''})`,
    );
  }
  return found;
}

/** Images are in order of their names: one without a time gets one between its neighbours. */
async function inTimeOrder(
  source: 'metadata' | 'name',
  images: ListedImage[],
  doubts: string[],
  files: FileTimes,
): Promise<TimedImages> {
  const untimed = images.filter(({ time }) => !time).length;
  await zonesFromFiles(images, files);
  if (untimed > 0) await estimateMissing(images, files);
  const twice = hourComesTwice(images);
  if (twice) doubts.push(twice);
  const instants = images.map(placeOf);
  const order = instants.map((_, i) => i).sort((a, b) => (instants[a] as number) - (instants[b] as number) || a - b);
  return { source, images: order.map(i => images[i] as ListedImage), untimed, doubts };
}

/** Where zones are known they count: a run that goes on through a change to winter time stays in order. */
const placeOf = ({ time }: ListedImage): number =>
  (time as WallTime).wallMs - ((time as WallTime).zoneMinutes ?? 0) * 60_000;
