import { type Entry, isBrightfield } from '../model/entry.ts';
import type { LastImage } from '../model/status.ts';
import type { Manifest } from './manifest.ts';

/**
 * The image that was collected last, now and whenever it is asked for. It looks at all live entries once, and then at what is added.
 */
export function followLastImage(manifest: Pick<Manifest, 'entries' | 'changes$'>): () => LastImage | null {
  let last: LastImage | null = null;
  const takeAll = (): void => {
    last = null;
    for (const entry of manifest.entries()) last = lastImageOf(entry) ?? last;
  };
  takeAll();
  manifest.changes$.subscribe(change => {
    if ('reloaded' in change) takeAll();
    else if (change.op === 'add' && change.entry) last = lastImageOf(change.entry) ?? last;
  });
  return () => last;
}

/** Null for an entry without an image, and for a brightfield frame: the ROIs are not those of it. */
function lastImageOf({ camera_data: camera, timestamp_utc, entry_timestamp_iso }: Entry): LastImage | null {
  if (!camera?.filename || camera.error_flag || isBrightfield(camera)) return null;
  const { filename, filepath, original } = camera;
  return { filename, filepath, original, taken: timestamp_utc ?? camera.timestamp_iso ?? entry_timestamp_iso };
}
