/** Whether a disk is fast and large enough for the frames of an experiment. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Config } from '../config/schema.ts';
import type { DiskSpace } from '../files/diskSpace.ts';
import type { Files } from '../files/files.ts';
import { measureWrites, type WriteSpeed } from '../files/measureWrites.ts';
import { type Mount, nearestThere } from '../files/mountedDevice.ts';
import type { CheckFinding } from '../model/checkFinding.ts';
import { bytes, duration } from '../model/quantity.ts';
import type { StorageSystem } from './storageSystem.ts';

/** A disk, with the folders of an experiment that are on it. */
export interface Disk {
  /** Null where the system does not tell. */
  mount: Mount | null;
  folders: { name: string; path: string }[];
}

/** A frame costs some so many fsyncs: image, entry, claim, result, report, and the states between. */
const syncsPerFrame = 12;
/** Of the room that is free so much may be written to for a moment. */
export const measuredShare = 0.1;

export async function speedFindings(
  { mount, folders }: Disk,
  { config, paths }: { config: Config; paths: ResolvedPaths },
  system: StorageSystem,
): Promise<CheckFinding[]> {
  const about = mount?.mountPoint ?? folders[0]!.path;
  // Where the program itself removes what a killed process has left.
  const place =
    folders.find(({ name, path }) => ['flags', 'results'].includes(name) && existsSync(path)) ?? folders[0]!;
  const folder = await nearestThere(place.path, system.devices);
  const space = await system.space(folder);
  const mostBytes = space ? space.free * measuredShare : 0;
  if (mostBytes < 2 ** 16)
    return [{ level: 'warning', about, message: 'its speed is not measured: too little is free' }];
  const speed = await measureWrites(folder, { ...system, mostBytes });
  const said = speedText(speed);
  const isForFrames = config.Services.enable_camera && folders.some(({ name }) => name === 'data');
  if (!isForFrames) return [{ level: 'ok', about, message: said }];
  const image = await newestImage(paths.data, system.files);
  return [paceFinding(about, said, speed, { image, config }), ...lastingFinding(about, { image, space, config })];
}

/** Whether a frame is on the disk before the next one is due. */
function paceFinding(
  about: string,
  said: string,
  { bytesPerSecond, syncMs }: WriteSpeed,
  { image, config }: { image: number | null; config: Config },
): CheckFinding {
  const intervalMs = config.Timing.collector_interval_seconds * 1000;
  const perFrame = syncMs.median * syncsPerFrame + ((image ?? 0) / bytesPerSecond) * 1000;
  if (perFrame < intervalMs / 2) return { level: 'ok', about, message: said };
  const size = image === null ? '' : `, and an image has ${bytes(image)}`;
  const message = `${said}. A frame costs about ${syncsPerFrame} fsyncs${size}: ${duration(perFrame)} in all, and one is due every ${duration(intervalMs)} (Timing.collector_interval_seconds). Take a faster disk (SSD), or a longer interval`;
  return { level: perFrame >= intervalMs ? 'error' : 'warning', about, message };
}

/** How long the free space lasts, where nothing is deleted. */
function lastingFinding(
  about: string,
  { image, space, config }: { image: number | null; space: DiskSpace | null; config: Config },
): CheckFinding[] {
  const { Buffer, Services, Timing } = config;
  if (image === null || space === null || Buffer.image_buffer_size > 0 || Services.enable_remote_sync) return [];
  const ms = (space.free / image) * Timing.collector_interval_seconds * 1000;
  const message = `an image has ${bytes(image)}, and one is due every ${duration(Timing.collector_interval_seconds * 1000)}: what is free lasts for ${duration(ms)}`;
  return [
    {
      level: ms < shortMs ? 'warning' : 'ok',
      about,
      message:
        ms < shortMs
          ? `${message}. Take a larger disk, or set Buffer.image_buffer_size or Services.enable_remote_sync`
          : message,
    },
  ];
}

/** A run is weeks long, ms. */
const shortMs = 14 * 24 * 3_600_000;

/** Size of the image that was taken last, bytes; null where there is none yet. */
async function newestImage(dataFolder: string, files: Files): Promise<number | null> {
  const day = (await files.list(dataFolder))
    .filter(name => /^\d{8}/.test(name))
    .sort()
    .at(-1);
  if (day === undefined) return null;
  const folder = join(dataFolder, day);
  const name = (await files.list(folder))
    .filter(each => each.startsWith('image_') && !each.endsWith('.tmp'))
    .sort()
    .at(-1);
  return name === undefined ? null : ((await files.stat(join(folder, name)))?.size ?? null);
}

export const speedText = ({ bytesPerSecond, syncMs }: WriteSpeed): string =>
  `it takes ${bytes(bytesPerSecond)} a second; an fsync takes ${duration(syncMs.median)}, at worst ${duration(syncMs.longest)}`;
