import { basename } from 'node:path';
import type { Files } from '../files/files.ts';
import { isSettled } from '../manifest/isSettled.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { plainName } from '../model/compression.ts';
import type { Entry } from '../model/entry.ts';
import { timeOfDayText } from '../model/namedTime.ts';

/** So many are named where several would do. */
const maxNamed = 5;

/** No image, or more than one, is meant. */
export class NoSuchFrameError extends Error {
  override name = 'NoSuchFrameError';
}

export interface FindFrameOptions {
  /** `metadata_manifest.json`. */
  manifestFile: string;
  files: Files;
  warn: (message: string) => void;
}

/**
 * The entry that somebody means: by its id, by the name of its image (also with a path, or of its compressed form), or by the
 * time at which the image was taken, as the table has it, or the beginning of that, or the time of day alone. Reads the manifest and its archive without a lock.
 *
 * @throws NoSuchFrameError when there is none, or a time is that of several; the file system's errors.
 */
export async function findFrame(wanted: string, { manifestFile, files, warn }: FindFrameOptions): Promise<Entry> {
  const means = meaning(wanted);
  const found: Entry[] = [];
  let count = 0;
  for await (const { entries } of readEntries({
    file: manifestFile,
    files,
    isSettled,
    note: (level, message) => (level === 'info' ? undefined : warn(message)),
  })) {
    for (const entry of entries) {
      const how = means(entry);
      if (how === 'itself') return entry;
      if (how === 'time' && count++ < maxNamed) found.push(entry);
    }
  }
  if (count === 1) return found[0] as Entry;
  if (count === 0)
    throw new NoSuchFrameError(
      `no image of the manifest is "${wanted}": give the name of an image, the id of an entry, or a time as the table has it (2025-07-24T13:45:13, or 13:45:13)`,
    );
  const names = found.map(({ camera_data: camera }) => `${camera?.filename} (${camera?.timestamp_iso})`);
  throw new NoSuchFrameError(
    `${count} images were taken at ${wanted}: ${names.join(', ')}${count > maxNamed ? ', …' : ''}; give the name of one, or more of the time`,
  );
}

/** How an entry is what was asked for; null: it is not. */
function meaning(wanted: string): (entry: Entry) => 'itself' | 'time' | null {
  const name = plainName(basename(wanted));
  const time = /^\d{4}-\d\d-\d\d[T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?Z?$/.test(wanted) ? wanted.replace(' ', 'T') : null;
  const ofDay = timeOfDayText(wanted);
  return ({ entry_id: id, camera_data: camera, timestamp_utc: utc }) => {
    if (id === wanted || (camera && plainName(camera.filename) === name)) return 'itself';
    if (ofDay !== null && camera?.timestamp_iso.slice(11).startsWith(ofDay)) return 'time';
    if (time === null) return null;
    const taken = time.endsWith('Z') ? utc : camera?.timestamp_iso;
    return taken?.startsWith(time.replace(/Z$/, '')) ? 'time' : null;
  };
}
