import { plainName } from './compression.ts';
import type { Entry } from './entry.ts';

/** Where the copy of an image stands, as its entry tells it. */
export interface RemoteCopy {
  /** Relative to `remote_root_dir`, with `/`. */
  path: string;
  size: number;
  sha256: string;
}

/**
 * The copy on the share that stands for an entry's image; null where the entry names none that could be its own: a hand may have
 * written anything there, and one copy must not stand for two images.
 */
export function copyOf({ camera_data: camera, remote_copy: copy }: Entry): RemoteCopy | null {
  const { path, size, sha256 } = (copy ?? {}) as Partial<RemoteCopy>;
  const isRead = typeof path === 'string' && typeof sha256 === 'string' && Number.isSafeInteger(size) && size! > 0;
  if (!isRead || !camera) return null;
  const parts = path.split('/');
  if (!parts.every(part => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))) return null;
  return isNameOf(parts.at(-1)!, camera.filename) ? (copy as RemoteCopy) : null;
}

/** An entry says that its image was copied, and of the copy something that can't be right. One of the Python system says nothing of it. */
export function hasWrongCopy(entry: Entry): boolean {
  return entry.image_synced && (entry.remote_copy ?? null) !== null && copyOf(entry) === null;
}

/** Whether a name on the share is that of an image: with the letters that the share takes, or beside a name that was taken. */
function isNameOf(onShare: string, filename: string): boolean {
  return onShare === filename || imageName(onShare) === imageName(filename);
}

const imageName = (name: string): string =>
  plainName(name.replace(/~[0-9a-f]{8,64}(?=\.[^.]*$|$)/, '')).replaceAll(/[^\p{L}\p{N}]/gu, '_');
