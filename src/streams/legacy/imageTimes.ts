/**
 * Chooses, once for all images of a replay, where their times come from: Micro-Manager's metadata, the names, EXIF, the
 * modification time: the first that serves. Metadata and names serve when they give a time to at least half of the images
 * (a run that was cut off lacks the last ones); EXIF when most of five images spread over the run have one. An image that the
 * chosen source leaves out keeps its place by name and takes its time from the next source that has one, when it is its turn.
 */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { plainName } from '../../model/compression.ts';
import type { TimestampSource } from '../../model/entry.ts';
import { exifTime } from './exifTime.ts';
import type { ImageFolder } from './imageListing.ts';
import { type MicroManagerMetadata, readMicroManagerMetadata } from './microManagerMetadata.ts';
import { nameTime } from './nameTime.ts';
import { type WallTime, wallTimeOf } from './wallTime.ts';

export type ImageTimeSource = Exclude<TimestampSource, 'camera'>;

export interface ListedImage {
  folder: string;
  name: string;
  /** Null: read from the file when it is its turn. */
  time: WallTime | null;
}

export interface TimedImages {
  source: ImageTimeSource;
  /** By time for `metadata` and `name`, else by name. */
  images: ListedImage[];
  /** Images whose time the chosen source does not know. */
  untimed: number;
}

export interface LegacyNote {
  level: 'info' | 'warning';
  message: string;
}

const serves = (timed: number, images: number): boolean => timed > 0 && 2 * timed >= images;

export async function timeImages(
  folders: readonly ImageFolder[],
  note: (note: LegacyNote) => void,
  signal?: AbortSignal,
): Promise<TimedImages> {
  const images = folders.flatMap(({ path, images: names }) =>
    names.map((name): ListedImage => ({ folder: path, name, time: null })),
  );

  const metadata = await readAllMetadata(folders, note, signal);
  if (metadata.size > 0) {
    const timed = setTimes(images, image => metadata.get(image.folder)?.times.get(plainName(image.name)) ?? null);
    if (serves(timed, images.length)) return inTimeOrder('metadata', images, timed);
    note({
      level: 'warning',
      message: `metadata.txt gives a time to ${timed} of ${images.length} images: it is not used`,
    });
  }

  const timed = setTimes(images, image => nameTime(image.name));
  if (serves(timed, images.length)) return inTimeOrder('name', images, timed);

  setTimes(images, () => null);
  const source = (await haveExif(images)) ? 'exif' : 'mtime';
  return { source, images, untimed: images.length };
}

/** The time of an image that its list does not give, with the source that had it. */
export async function readTime(
  image: ListedImage,
  chosen: ImageTimeSource,
): Promise<{ time: WallTime; source: ImageTimeSource }> {
  const path = join(image.folder, image.name);
  if (chosen === 'metadata') {
    const time = nameTime(image.name);
    if (time) return { time, source: 'name' };
  }
  if (chosen !== 'mtime') {
    const time = await exifTime(path);
    if (time) return { time, source: 'exif' };
  }
  return { time: wallTimeOf((await stat(path)).mtimeMs), source: 'mtime' };
}

async function readAllMetadata(
  folders: readonly ImageFolder[],
  note: (note: LegacyNote) => void,
  signal?: AbortSignal,
): Promise<Map<string, MicroManagerMetadata>> {
  const byFolder = new Map<string, MicroManagerMetadata>();
  for (const { path, images, hasMetadata } of folders) {
    if (!hasMetadata) continue;
    const file = join(path, 'metadata.txt');
    try {
      const metadata = await readMicroManagerMetadata(file, signal);
      byFolder.set(path, metadata);
      for (const message of oddities(metadata, images)) note({ level: 'warning', message: `${file}: ${message}` });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      note({ level: 'warning', message: `${file}: can't be read (${(error as Error).message}); other times are used` });
    }
  }
  return byFolder;
}

function oddities({ times, frames, stack, cutOff }: MicroManagerMetadata, images: readonly string[]): string[] {
  const found: string[] = [];
  if (cutOff) found.push(`ends in the middle, as of a run that was cut off; the ${frames} frames before that are used`);
  if (stack)
    found.push(
      `${stack.name} holds ${stack.frames} frames in one file; such image stacks can't be read, save them as separate images`,
    );
  const listed = new Set(images.map(plainName));
  let absent = 0;
  for (const name of times.keys()) if (!listed.has(name)) absent++;
  if (absent > 0) found.push(`names ${absent} image(s) that are not in the folder`);
  return found;
}

/** Returns how many got one. */
function setTimes(images: readonly ListedImage[], timeOf: (image: ListedImage) => WallTime | null): number {
  let timed = 0;
  for (const image of images) {
    image.time = timeOf(image);
    if (image.time) timed++;
  }
  return timed;
}

/** Images are in order of their names: one without a time stays behind the one before it (the first ones before the next). */
function inTimeOrder(source: ImageTimeSource, images: ListedImage[], timed: number): TimedImages {
  const instants = images.map(placeOf);
  let place = instants.find(instant => !Number.isNaN(instant)) as number;
  for (let i = 0; i < instants.length; i++) {
    if (Number.isNaN(instants[i])) instants[i] = place;
    place = instants[i];
  }
  const order = instants.map((_, i) => i).sort((a, b) => instants[a] - instants[b] || a - b);
  return { source, images: order.map(i => images[i]), untimed: images.length - timed };
}

/** Where zones are known they count: a run that goes on through a change to winter time stays in order. */
const placeOf = ({ time }: ListedImage): number => (time ? time.wallMs - (time.zoneMinutes ?? 0) * 60_000 : Number.NaN);

async function haveExif(images: readonly ListedImage[]): Promise<boolean> {
  const last = images.length - 1;
  const probes = [...new Set([0, 0.25, 0.5, 0.75, 1].map(part => Math.round(part * last)))];
  const found = await Promise.all(
    probes.map(i =>
      // A probe that can't be read says nothing; when its turn comes, it is reported.
      exifTime(join(images[i].folder, images[i].name)).catch(() => null),
    ),
  );
  return 2 * found.filter(time => time !== null).length > found.length;
}
