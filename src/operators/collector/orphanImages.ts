import { basename, dirname, join } from 'node:path';
import { syncNamed } from '../../files/durableNames.ts';
import { type Files, StrangeFileError } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { removeTemporaries } from '../../files/removeTemporaries.ts';
import { decodeFrame } from '../../image/decodeFrame.ts';
import { imageMemory, limitText } from '../../image/imageMemory.ts';
import { ownImageTime } from '../../manifest/orphanEntry.ts';
import type { Archive, Queue } from '../../manifest/queue.ts';
import type { Clock } from '../../model/clock.ts';
import { plainName } from '../../model/compression.ts';
import { type CameraData, type Entry, isBrightfield } from '../../model/entry.ts';
import type { NoteEvent } from '../../model/event.ts';
import { localIso } from '../../model/localTime.ts';

export interface OrphanImagesOptions {
  queue: Queue;
  archive: Archive;
  files: Files;
  clock: Clock;
  /** Folder of the days' folders: `data_dir` or `brightfield_dir`. */
  folder: string;
  type: CameraData['type'];
  /** When the run began, ms since 1970 UTC: what is older is of another run, or of the Python system. */
  since: number;
  /** Whether a pid is one of this machine's processes. */
  isAlive: (pid: number) => boolean;
  note: (level: NoteEvent['level'], message: string) => void;
}

/** A day's folder, and its further ones. */
const dayFolder = /^(\d{8})(?:_\d+)?$/;
/** Days whose folders are looked through, besides today's and that of the last images. */
const newestDays = 2;
/** Among so many entries the one with the earliest time says from when on an image may be one that was left. */
const lastEntries = 8;
/** A crash leaves one. More than this are no crash's: a manifest was replaced by another, and somebody should know. */
const maxRecovered = 100;

/**
 * Images of our own that a crash may have left between their writing and their entry: whole files in the newest folders, taken
 * in this run, which no live entry knows. Most of them may be archived: see {@link recoverImages}. What a killed process has left there
 * half written, which may be in yesterday's folder, is removed.
 *
 * Called before the first frame is taken, and while nobody else captures. It lists the folders of a few days, however long
 * the run is. Errors are the file system's.
 */
export async function findOrphanImages(options: OrphanImagesOptions): Promise<string[]> {
  const { queue, files, clock, folder: outer, type, since, isAlive } = options;
  const last = lastCaptured(queue, type);
  const days = new Map<string, string[]>();
  for (const name of await files.list(outer)) {
    const day = dayFolder.exec(name)?.[1];
    if (day !== undefined) days.set(day, [...(days.get(day) ?? []), name]);
  }
  const looked = new Set([...days.keys()].sort().slice(-newestDays));
  looked.add(dayOf(localIso(clock.now())));
  for (const { timestamp_iso: time } of last) looked.add(dayOf(time));
  const times = [
    localIso(since),
    ...last
      .map(({ timestamp_iso: time }) => time)
      .sort()
      .slice(0, 1),
  ];
  const from = times.sort().at(-1)!;

  const found = new Map<string, string>();
  for (const folder of [...looked].flatMap(day => days.get(day) ?? [])) {
    await removeTemporaries(files, join(outer, folder), isAlive, clock.now());
    for (const name of await files.list(join(outer, folder))) {
      const time = ownImageTime(plainName(name));
      if (time === null || time < from || dayOf(time) !== dayFolder.exec(folder)![1]) continue;
      const path = join(outer, folder, name);
      found.set(keyOf(path), path);
    }
  }
  if (found.size > 0) passOver(queue.entries(), found, outer);
  return [...found.values()].sort();
}

/**
 * Gives each of these images an entry, unless one knows it: a live one, or an archived one, for which the newest segments are
 * read until every image is found (all of them, where a crash has left one). One whose result stands in the log gets that result's
 * entry back, and is not analysed again: somebody has deleted its entry. Resolves with the new entries. A file that is no
 * whole image is noted and left alone.
 *
 * Once `signal` is aborted nothing is added any more. Errors are the file system's, and an ArchiveError: as long as the archive can't
 * be read nobody knows.
 */
export async function recoverImages(
  paths: readonly string[],
  options: OrphanImagesOptions,
  signal: AbortSignal,
): Promise<Entry[]> {
  const { queue, archive, files, folder, note } = options;
  const left = new Map(paths.map(path => [keyOf(path), path]));
  await queue.catchUp();
  passOver(queue.entries(), left, folder);
  // In this order: what leaves the live entries is in a segment by then.
  const segments = left.size > 0 ? await archive.segments() : [];
  for (const segment of segments.reverse()) {
    if (left.size === 0 || signal.aborted) break;
    passOver(await archive.segment(segment), left, folder);
  }
  if (signal.aborted) return [];
  if (left.size > maxRecovered) {
    note(
      'warning',
      `${left.size} captured images have no entry, more than a crash leaves: verify --repair takes them in`,
    );
    return [];
  }
  const whole: string[] = [];
  for (const path of left.values()) {
    if ((await files.stat(path)) === null) continue;
    const damage = await damageOf(path, files);
    if (damage === null) {
      // Whoever wrote it may not have come so far as to make it durable.
      await syncNamed(files, path);
      whole.push(path);
    } else note('warning', `${path} has no entry, and is left alone: ${damage}`);
  }
  if (signal.aborted || whole.length === 0) return [];
  return queue.addOrphans(whole);
}

/** The images of the last entries that are captured ones of this type, in order of collection. */
function lastCaptured(queue: Queue, type: CameraData['type']): CameraData[] {
  let last: CameraData[] = [];
  for (const { camera_data: camera } of queue.entries()) {
    if (!camera || camera.original || isBrightfield(camera) !== (type === 'brightfield')) continue;
    if (ownImageTime(plainName(camera.filename)) === null) continue;
    last.push(camera);
    if (last.length > 2 * lastEntries) last = last.slice(-lastEntries);
  }
  return last.slice(-lastEntries);
}

function passOver(entries: Iterable<Entry>, images: Map<string, string>, folder: string): void {
  for (const { camera_data: camera } of entries) {
    if (camera) images.delete(keyOf(join(camera.filepath ?? folder, camera.filename)));
  }
}

/** Its folder and name: an experiment may have been moved, and an image compressed. */
const keyOf = (path: string): string => `${basename(dirname(path))}/${plainName(basename(path))}`;

/** @param time local */
const dayOf = (time: string): string => time.slice(0, 10).replaceAll('-', '');

/** Why it is no whole image; null when it is one. Rejects with the errors of reading it. */
async function damageOf(path: string, files: Files): Promise<string | null> {
  const { size = 0, strange } = (await files.stat(path)) ?? {};
  if (strange) return `it is a ${strange}`;
  if (size > imageMemory()) return `${size} bytes; ${limitText(imageMemory())}`;
  let bytes: Buffer;
  try {
    bytes = await readBytes(files, path);
  } catch (error) {
    if (error instanceof StrangeFileError) return error.message;
    throw error;
  }
  return decodeFrame(bytes, path).then(
    () => null,
    (error: Error) => error.message,
  );
}
