import { statfs } from 'node:fs/promises';
import { exhaustMap, type Observable, ReplaySubject, type SchedulerLike, share, timer } from 'rxjs';
import { type DiskSpace, diskSpaceOf } from '../../files/diskSpace.ts';

/** How often it is asked, ms. */
const everyMs = 1000;

/** Space on the file system that holds a path. Null where nobody can tell. */
export async function measureSpace(path: string): Promise<DiskSpace | null> {
  try {
    const space = diskSpaceOf(await statfs(path));
    return space === 'unknown' ? null : space;
  } catch {
    return null;
  }
}

/**
 * Free space once a second, the first at once: also when it has not changed, since those who listen count the time. While
 * one answer is on its way no other is asked for.
 *
 * Shared: it is asked once for all that listen, and who comes later gets the last answer at once. Never completes, and errors
 * only with `measure`. The timer ends with the last that listens.
 */
export function diskSpace$(
  measure: () => Promise<DiskSpace | null>,
  scheduler?: SchedulerLike,
): Observable<DiskSpace | null> {
  return timer(0, everyMs, scheduler).pipe(
    exhaustMap(measure),
    share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: true }),
  );
}
