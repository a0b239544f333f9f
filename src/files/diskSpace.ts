import { type StatsFs, statfsSync } from 'node:fs';

/** Space on a file system, bytes. */
export interface DiskSpace {
  /** For a user who is not root. */
  free: number;
  size: number;
}

/** What a file system says of its space. One of no blocks at all (some of FUSE) does not tell: that is no full disk. */
export function spaceTold({
  bavail,
  blocks,
  bsize,
}: Pick<StatsFs, 'bavail' | 'blocks' | 'bsize'>): DiskSpace | 'unknown' {
  const size = blocks * bsize;
  return size > 0 ? { free: bavail * bsize, size } : 'unknown';
}

/** Space on the file system that holds a path; `unknown` where it does not tell, null where it can't be asked: the disk is gone. */
export function askDisk(path: string): DiskSpace | 'unknown' | null {
  try {
    return spaceTold(statfsSync(path));
  } catch {
    return null;
  }
}

/** The same for those who only want to know how much: null where nobody can tell. */
export function diskSpace(path: string): DiskSpace | null {
  const told = askDisk(path);
  return told === 'unknown' ? null : told;
}
