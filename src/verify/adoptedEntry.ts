import { basename, dirname } from 'node:path';
import { deterministicId } from '../manifest/normaliseEntry.ts';
import { untouchedEntry } from '../manifest/untouchedEntry.ts';
import type { Entry } from '../model/entry.ts';
import { localIso } from '../model/localTime.ts';

/** As the collector names an image, and as the Python system did: day, time, microseconds and camera. */
const pattern = /^image_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_(\d{6})_cam([\w-]+)\.(?:png|jpe?g|tiff?)$/i;

export const isCapturedName = (name: string): boolean => pattern.test(name);

/**
 * An entry for a captured image that a kill has left without one: what its name tells. The id follows from path and time, so
 * that adopting it twice makes one entry.
 *
 * @param path of the image, whose name is a captured one's.
 * @param now milliseconds since 1970 UTC.
 */
export function adoptedEntry(path: string, now: number): Entry {
  const filename = basename(path);
  const [, year, month, day, hour, minute, second, micros, camera = ''] = pattern.exec(filename)!;
  const taken = `${year}-${month}-${day}T${hour}:${minute}:${second}.${micros}`;
  return {
    ...untouchedEntry,
    entry_id: deterministicId(dirname(path), filename, taken),
    entry_timestamp_iso: localIso(now),
    camera_data: {
      type: 'image',
      filename,
      filepath: dirname(path),
      timestamp_iso: taken,
      camera_index: /^\d+$/.test(camera) ? Number(camera) : camera,
      error_flag: false,
      error_message: null,
      original: false,
    },
    timestamp_source: 'name',
  };
}
