import { EMPTY, exhaustMap, filter, ignoreElements, type Observable, throttleTime } from 'rxjs';
import { type ReserveFile, reservePiece } from '../../files/reserveFile.ts';
import { reserveOf } from '../ringBuffer/spaceLimits.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { StageFlow } from '../stage/stage.ts';
import { keepAlive } from './keepAlive.ts';

const maxBytes = 4 * 2 ** 20;
/** Part of what must stay free on the disk. */
const share = 0.25;
/** It is looked at so often, ms. */
const pollEveryMs = 10_000;

/** How long the reserve should be on a disk of `size` bytes; 0 on one of less than 25 MB. */
export function reserveBytes(size: number): number {
  const bytes = Math.min(maxBytes, reserveOf(size) * share);
  return Math.floor(bytes / reservePiece) * reservePiece;
}

/**
 * Makes the reserve, and makes it again after it was given up, while at least twice as much is free as must stay free. Emits nothing;
 * completes with `space$`. What the disk refuses is noted and tried again. Teardown ends it; `track` tells when.
 */
export function keepReserve(
  experiment: Pick<Experiment, 'tools' | 'note' | 'space$'> & { reserve: ReserveFile },
  { stop$ }: Pick<StageFlow, 'stop$'>,
): Observable<never> {
  const { reserve, space$, tools } = experiment;
  return space$.pipe(
    filter(space => space !== null),
    throttleTime(pollEveryMs, tools.scheduler),
    exhaustMap(({ free, size }) => {
      const bytes = reserveBytes(size);
      return bytes > 0 && free >= 2 * reserveOf(size) + bytes ? tools.track(reserve.fill(bytes)) : EMPTY;
    }),
    keepAlive(`no room is kept for the manifest in ${reserve.path}`, experiment, stop$),
    ignoreElements(),
  );
}
