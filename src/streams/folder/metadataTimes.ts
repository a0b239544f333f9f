/** Times that Micro-Manager has written beside the images of a run, in `metadata.txt`, for the images that are there. */

import { join } from 'node:path';
import { plainName } from '../../model/compression.ts';
import { counted } from '../../model/quantity.ts';
import type { ImageFolder } from './imageListing.ts';
import { advances, type ListedImage } from './listedImage.ts';
import { foldedName, type MicroManagerMetadata, readMicroManagerMetadata } from './microManagerMetadata.ts';
import type { WallTime } from './wallTime.ts';

export interface DescribedImages {
  times: Map<ListedImage, WallTime>;
  /** There is a metadata file, readable or not. */
  present: boolean;
  /** What is odd about the files. */
  doubts: string[];
}

export async function readAllMetadata(
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
