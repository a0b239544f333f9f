import { basename, dirname } from 'node:path';
import { plainName } from '../model/compression.ts';
import type { Entry } from '../model/entry.ts';
import { localIso } from '../model/localTime.ts';
import { deterministicId } from './normaliseEntry.ts';
import { untouchedEntry } from './untouchedEntry.ts';

/** As the collector names an image, and as the Python system did: day, time, microseconds and camera. */
const pattern =
  /^(?:image|brightfield)_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_(\d{6})_cam([\w-]+)\.(?:png|jpe?g|tiff?)$/i;

export const isCapturedName = (name: string): boolean => pattern.test(name);

/** Whether a captured name is that of a brightfield frame. */
export const isBrightfieldName = (name: string): boolean => name.startsWith('brightfield_');

/** Which camera took a captured image, from its name; null for any other name. */
export function cameraOf(name: string): number | string | null {
  const camera = pattern.exec(name)?.at(-1);
  return camera === undefined ? null : /^\d+$/.test(camera) ? Number(camera) : camera;
}

/** As the collector names them, and nobody else nowadays. */
const ownPattern = /^(?:image|brightfield)_\d{8}_\d{6}_\d{6}_cam[\w-]+\.(?:png|tif)$/;

/** When an image of the collector was taken, from its name: local time, as entries have it. Null for any other name. */
export const ownImageTime = (name: string): string | null => (ownPattern.test(name) ? capturedTime(name) : null);

/** When a captured image was taken, from its name: local time, as entries have it. */
export function capturedTime(name: string): string {
  const [, year, month, day, hour, minute, second, micros] = pattern.exec(name)!;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${micros}`;
}

/**
 * An entry for a captured image that a kill has left without one: what its name tells. The id follows from path and time, so
 * that recovering it twice makes one entry.
 *
 * @param path of the image, whose name is a captured one's, compressed or not.
 * @param now milliseconds since 1970 UTC.
 */
export function orphanEntry(path: string, now: number): Entry {
  const filename = basename(path);
  const plain = plainName(filename);
  const taken = capturedTime(plain);
  return {
    ...untouchedEntry,
    entry_id: deterministicId(dirname(path), plain, taken),
    entry_timestamp_iso: localIso(now),
    camera_data: {
      type: isBrightfieldName(plain) ? 'brightfield' : 'image',
      filename,
      filepath: dirname(path),
      timestamp_iso: taken,
      camera_index: cameraOf(plain)!,
      error_flag: false,
      error_message: null,
      original: false,
    },
    processing_status: isBrightfieldName(plain) ? 'skip' : 'pending',
    compression_attempted: plain !== filename,
    timestamp_source: 'name',
  };
}
