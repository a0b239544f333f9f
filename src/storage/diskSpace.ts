import { statfsSync } from 'node:fs';

/** Space on the file system that holds a path, bytes. Null where it can't be asked: the disk is gone. */
export function diskSpace(path: string): { free_bytes: number; total_bytes: number } | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    return { free_bytes: bavail * bsize, total_bytes: blocks * bsize };
  } catch {
    return null;
  }
}
