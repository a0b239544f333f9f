import { concat, defer, EMPTY, first, interval, map, type Observable, of, takeUntil } from 'rxjs';
import type { Clock } from '../../model/clock.ts';
import type { Entry } from '../../model/entry.ts';
import type { PipelineEvent } from '../../model/event.ts';
import { moment, parseIso } from '../../model/localTime.ts';
import type { StageName } from '../../model/stageName.ts';

/** A clock that the network sets goes back by less, and file systems round, ms. */
const tolerated = 60_000;
/** The alarm. */
export const clockBehindKey = 'clock_behind';
/** It is looked so often whether the clock is right again, ms. */
const pollMs = 10_000;

export interface ClockBehindOptions {
  /** The live entries; imported ones are of other clocks. */
  entries: Iterable<Pick<Entry, 'camera_data' | 'timestamp_utc'>>;
  /** Other moments that were written down in this folder, milliseconds since 1970 UTC, and what they are. */
  moments: readonly { what: string; at: number }[];
  clock: Pick<Clock, 'now'>;
  stage: StageName;
  stop$: Observable<unknown>;
}

/**
 * An alarm when the clock, at the start, is behind what is written in the experiment's folder: it was set back, or it has not been set yet. Ends
 * with `well` when the clock has come past it. Completes at once when all is well, and with `stop$`.
 */
export function clockBehind$({ entries, moments, clock, stage, stop$ }: ClockBehindOptions): Observable<PipelineEvent> {
  let newest = { what: '', at: Number.NEGATIVE_INFINITY };
  const images = [...entries].flatMap(({ camera_data: camera, timestamp_utc: utc }) =>
    camera && !camera.original && utc !== null ? [{ what: `the image ${camera.filename}`, at: parseIso(utc) }] : [],
  );
  for (const moment of [...images, ...moments]) if (moment.at > newest.at) newest = moment;
  const isBehind = (): boolean => clock.now() < newest.at - tolerated;
  if (!isBehind()) return EMPTY;
  const common = { stage, key: clockBehindKey };
  const alarm = (): PipelineEvent => {
    const at = clock.now();
    const message =
      `the clock says ${moment(at)}, but ${newest.what} is of ${moment(newest.at)}: it was set back, or is not set yet. ` +
      'Frames keep their order and their intervals, but their times are wrong until the clock is set right';
    return { ...common, at, kind: 'alarm', message, retryInMs: 0 };
  };
  const well$ = interval(pollMs).pipe(
    first(() => !isBehind()),
    map((): PipelineEvent => ({ ...common, at: clock.now(), kind: 'well' })),
  );
  return concat(
    defer(() => of(alarm())),
    well$,
  ).pipe(takeUntil(stop$));
}
