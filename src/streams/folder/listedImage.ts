import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TimestampSource } from '../../model/frame.ts';
import { exifTime } from './exifTime.ts';
import { elapsedBetween, type WallTime } from './wallTime.ts';

export type ImageTimeSource = Exclude<TimestampSource, 'camera'>;

export interface ListedImage {
  folder: string;
  name: string;
  /** Null: read from the file when it is its turn. */
  time: WallTime | null;
  /** Where its time is from, when it is another source than the chosen one. */
  source?: ImageTimeSource;
}

/** How files tell their times; for tests. */
export interface FileTimes {
  /** Modification time, milliseconds since 1970 UTC. */
  modified(image: ListedImage): Promise<number>;
  exif(image: ListedImage): Promise<WallTime | null>;
}

export const fileTimes: FileTimes = {
  modified: async ({ folder, name }) => (await stat(join(folder, name))).mtimeMs,
  exif: ({ folder, name }) => exifTime(join(folder, name)),
};

/** Indices spread over `length`, the first and the last among them. */
export function spread(length: number, count: number): number[] {
  return [...new Set(Array.from({ length: count }, (_, i) => Math.round((i / (count - 1)) * (length - 1))))];
}

/** Whether the times of images differ at all: one time for all of them tells nothing. */
export function advances(images: readonly ListedImage[]): boolean {
  const times = images.flatMap(({ time }) => (time ? [time] : []));
  return times.length < 2 || times.some(time => elapsedBetween(times[0] as WallTime, time) !== 0);
}
