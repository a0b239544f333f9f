import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { codecOf } from '../../src/model/compression.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { StorageOptions } from './experiment.ts';

/** Where the images of an experiment are in the end. */
export interface StoredImages {
  /** On this machine, and of these, compressed ones. */
  local: number;
  compressed: number;
  /** On the share, and of these, those that are nowhere else. */
  copied: number;
  removed: number;
}

interface Copy {
  path: string;
  size: number;
  sha256: string;
}

/**
 * Holds settled entries against the share: each image is copied there as its entry says and can be read, none was removed here
 * without, and no more are left here than should be. Growing files are there as they are here.
 */
export async function checkStored(
  root: string,
  entries: readonly Entry[],
  { share, keep }: StorageOptions,
  problems: string[],
): Promise<StoredImages> {
  const stored: StoredImages = { local: 0, compressed: 0, copied: 0, removed: 0 };
  for (const entry of entries) {
    const { entry_id: id, camera_data: camera, image_local: local } = entry;
    if (!camera) continue;
    const say = (what: string): unknown => problems.push(`${id} (${camera.filename}) ${what}`);
    const copy = entry.remote_copy as Copy | undefined;
    if (!entry.compression_attempted && local !== false) say('was not compressed: it is stuck');
    if (codecOf(camera.filename) !== null) stored.compressed++;
    if (local === false) stored.removed++;
    else stored.local++;
    if (!entry.image_synced || !copy) {
      say(local === false ? 'was removed without a copy: it is gone' : 'was not copied: it is stuck');
      continue;
    }
    const path = join(share, copy.path);
    if (local === false && camera.filepath !== dirname(path)) say(`says that it lies in ${camera.filepath}`);
    try {
      const bytes = await readFile(path);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      if (bytes.length !== copy.size || sha256 !== copy.sha256) say('has a copy with other content: missing_copy');
      else if (entry.processing_status !== 'failed') await decodeFrame(bytes, path);
      stored.copied++;
    } catch (error) {
      say(`has no copy that can be read, it is gone: ${(error as Error).message}`);
    }
  }
  if (keep > 0 && stored.local > keep) problems.push(`${stored.local} images are here, not ${keep}: the rest is stuck`);
  for (const name of await readdir(join(root, 'results'))) {
    if (!/^(processing_results|communicating_results).*\.(jsonl|csv)$/.test(name)) continue;
    const [here, there] = await Promise.all(
      [root, share].map(folder => readFile(join(folder, 'results', name)).catch(() => null)),
    );
    if (!there?.equals(here!))
      problems.push(`${name} was not copied: ${there?.length ?? 'none'} of ${here!.length} bytes are on the share`);
  }
  return stored;
}
