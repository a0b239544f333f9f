import { type StatsFs, statfsSync } from 'node:fs';

/** Space on a file system, bytes. */
export interface DiskSpace {
  /** For a user who is not root. */
  free: number;
  size: number;
  /** Names of files (inodes) that may still be made; absent where the file system does not count them. */
  names?: { free: number; size: number };
}

/** What a file system says of its space. One of no blocks at all (some of FUSE) does not tell: that is no full disk. */
export function diskSpaceOf({
  bavail,
  blocks,
  bsize,
  files = 0,
  ffree = 0,
}: Pick<StatsFs, 'bavail' | 'blocks' | 'bsize'> & Partial<Pick<StatsFs, 'files' | 'ffree'>>): DiskSpace | 'unknown' {
  const size = blocks * bsize;
  if (size <= 0) return 'unknown';
  return { free: bavail * bsize, size, ...(files > 0 && { names: { free: ffree, size: files } }) };
}

/** Space on the file system that holds a path; `unknown` where it does not tell, null where it can't be asked: the disk is gone. */
export function askDisk(path: string): DiskSpace | 'unknown' | null {
  try {
    return diskSpaceOf(statfsSync(path));
  } catch {
    return null;
  }
}

/** The same for those who only want to know how much: null where nobody can tell. */
export function diskSpace(path: string): DiskSpace | null {
  const space = askDisk(path);
  return space === 'unknown' ? null : space;
}
