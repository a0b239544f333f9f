/**
 * Chooses, once for all images of a replay, where their times come from: Micro-Manager's metadata, the names, EXIF, the
 * modification time: the first that serves. A source serves when it gives a time to at least half of the images (of some images
 * spread over the run, where the files have to be read for it), and when its time advances: one time for all frames, or the start of
 * the run in every name, is none. An image that the chosen source leaves out keeps its place by name. Its time is that of the file
 * where file times agree with the source at its neighbours; else it is estimated from its neighbours and the cadence.
 */

import { counted } from '../../model/quantity.ts';
import { estimateMissing } from './estimateMissing.ts';
import type { ImageFolder } from './imageListing.ts';
import { chooseSeries, findSeries } from './imageSeries.ts';
import { sourceInFiles, standsStill } from './judgedTimes.ts';
import { advances, type FileTimes, fileTimes, type ImageTimeSource, type ListedImage } from './listedImage.ts';
import { readAllMetadata } from './metadataTimes.ts';
import { type NameTimes, nameTimes } from './nameTime.ts';
import { hourComesTwice, zonesFromFiles } from './repeatedHour.ts';
import { type WallTime, wallTimeOf } from './wallTime.ts';
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

export interface TimingOptions {
  /** What messages name. */
  folder: string;
  /** Which of several series; see `chooseSeries`. */
  series?: string | undefined;
  /** Milliseconds since 1970 UTC: images of tomorrow are doubted. */
  now: number;
}

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
