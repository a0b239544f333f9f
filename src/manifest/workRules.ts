import type { Config } from '../config/schema.ts';
import { type Entry, isBrightfield } from '../model/entry.ts';
import { hasWrongCopy } from '../model/remoteCopy.ts';

/** Which of the stages that not every experiment has an entry must pass. They follow from the configuration. */
export interface WorkRules {
  /** Images are compressed once they were analysed. */
  compression: boolean;
  /** Images are copied to the share. */
  sync: boolean;
}

/** What the configuration asks for. */
export function workRules({ Services }: Config): WorkRules {
  return { compression: Services.enable_image_compression, sync: Services.enable_remote_sync };
}

/** Neither compressed nor copied. */
export const noRules: WorkRules = { compression: false, sync: false };

/**
 * Whether an entry has passed, or need not pass, compression. An image that failed to be collected is none, and one that the
 * ring buffer has removed is no longer here.
 */
export function isCompressed(entry: Entry, { compression }: WorkRules): boolean {
  const { camera_data: camera, compression_attempted: attempted } = entry;
  return !compression || attempted || camera === null || camera.original || isRemoved(entry);
}

/** The same for the copy on the share. One whose entry names no copy of its own, but something else, is copied again. */
export function isSynced(entry: Entry, { sync }: WorkRules): boolean {
  if (!sync || entry.camera_data === null || isRemoved(entry)) return true;
  return entry.image_synced && !hasWrongCopy(entry);
}

/** The ring buffer has removed its image from this machine. */
export function isRemoved({ image_local: local }: Entry): boolean {
  return local === false;
}

/** Its image takes space on this machine that is ours to free some day. */
export function takesSpace(entry: Entry): boolean {
  return entry.camera_data !== null && !entry.camera_data.original && !isRemoved(entry);
}

/** Nothing will be analysed of it any more, unless somebody sets it back. */
export function isAnalysed({ processing_status: status, camera_data: camera }: Entry): boolean {
  return isBrightfield(camera) || status === 'processed' || status === 'failed' || status === 'skip';
}
