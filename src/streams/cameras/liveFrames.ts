import { defer, finalize, type Observable, repeat, retry, type SchedulerLike, switchMap, takeWhile, timer } from 'rxjs';
import type { Clock } from '../../model/clock.ts';
import type { SourceFrame } from '../../model/frame.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import { fromAbortable } from '../../rx/fromAbortable.ts';

export interface LiveFramesOptions<T> {
  open: (signal: AbortSignal) => Promise<FrameSource>;
  /** What is made of a frame; the next one is taken afterwards. */
  work: (frame: SourceFrame, signal: AbortSignal) => Promise<T>;
  /** From the beginning of one frame to that of the next, at least, ms. */
  intervalMs: number;
  /** After a failure it is tried again after so long, ms. */
  retryMs: number;
  /** Told of each failure of the camera or of the work. */
  onTrouble: (error: Error) => void;
  clock: Clock;
  scheduler?: SchedulerLike;
}

/**
 * Frames to look at, one after another, none ahead of its work.
 *
 * Cold. A failure is told; the camera is closed, and opened anew after a wait, for ever: a cable that comes loose ends nothing. Completes
 * when the source has no more frames. Never errors. Teardown aborts what is on its way, and closes the camera.
 */
export function liveFrames$<T>({
  open,
  work,
  intervalMs,
  retryMs,
  onTrouble,
  clock,
  scheduler,
}: LiveFramesOptions<T>): Observable<T> {
  const close = (source: FrameSource): void => void source.close().catch((error: Error) => onTrouble(error));
  const session$ = (source: FrameSource): Observable<T> => {
    let begunMs = 0;
    const one$ = fromAbortable(async signal => {
      begunMs = clock.monotonic();
      const frame = await source.next(signal);
      return frame && { done: await work(frame, signal) };
    });
    return one$.pipe(
      repeat({ delay: () => timer(Math.max(0, begunMs + intervalMs - clock.monotonic()), scheduler) }),
      takeWhile(made => made !== null),
      switchMap(({ done }) => [done]),
      finalize(() => close(source)),
    );
  };
  return defer(() => fromAbortable(open, close)).pipe(
    switchMap(session$),
    retry({
      delay: (error: Error) => {
        onTrouble(error);
        return timer(retryMs, scheduler);
      },
    }),
  );
}
