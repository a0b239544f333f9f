import { statfsSync } from 'node:fs';

/** Space on a file system, bytes. */
export interface DiskSpace {
  /** For a user who is not root. */
  free: number;
  size: number;
}

/** Space on the file system that holds a path. Null where it can't be asked: the disk is gone. */
export function diskSpace(path: string): DiskSpace | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch {
    return null;
  }
}
