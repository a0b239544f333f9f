import { EMPTY, exhaustMap, filter, ignoreElements, type Observable, throttleTime } from 'rxjs';
import type { DiskSpace } from '../storage/diskSpace.ts';
import { type ReserveFile, reservePiece } from '../storage/reserveFile.ts';
import { type LastingOptions, lasting } from './lasting.ts';
import { reserveOf } from './spaceLimits.ts';
import type { StageTools } from './stage.ts';

export interface KeepReserveOptions extends Omit<LastingOptions, 'what'>, Pick<StageTools, 'track'> {
  reserve: ReserveFile;
  /** Of the disk that it is on, about once a second. */
  space$: Observable<DiskSpace | null>;
}

const mostBytes = 4 * 2 ** 20;
/** Part of what must stay free on the disk. */
const share = 0.25;
/** It is looked at so often, ms. */
const lookEveryMs = 10_000;

/** How long the reserve should be on a disk of `size` bytes; 0 on one of less than 25 MB. */
export function reserveBytes(size: number): number {
  const bytes = Math.min(mostBytes, reserveOf(size) * share);
  return Math.floor(bytes / reservePiece) * reservePiece;
}

/**
 * Makes the reserve, and makes it again after it was given up, while at least twice as much is free as must stay free. Emits nothing;
 * completes with `space$`. What the disk refuses is noted and tried again. Teardown ends it; `track` tells when.
 */
export function keepReserve(options: KeepReserveOptions): Observable<never> {
  const { reserve, space$, track, scheduler } = options;
  return space$.pipe(
    filter(space => space !== null),
    throttleTime(lookEveryMs, scheduler),
    exhaustMap(({ free, size }) => {
      const bytes = reserveBytes(size);
      return bytes > 0 && free >= 2 * reserveOf(size) + bytes ? track(reserve.fill(bytes)) : EMPTY;
    }),
    lasting({ ...options, what: `no room is kept for the manifest in ${reserve.path}` }),
    ignoreElements(),
  );
}
