import {
  catchError,
  defer,
  distinctUntilChanged,
  exhaustMap,
  type Observable,
  of,
  ReplaySubject,
  type SchedulerLike,
  share,
  tap,
  timer,
} from 'rxjs';
import type { KeptDisk } from '../../files/keptDisk.ts';
import type { MountedDevice } from '../../files/mountedDevice.ts';
import type { PauseReason } from '../../model/pauseReason.ts';

/** So often it looks whether something was mounted or unmounted, ms, and at all in one of so many looks. */
const pollEveryMs = 250;
const looksPerCheck = 4;

/**
 * Whether the root is on its disk: null, or why every stage must rest. Nothing can tell of a mount but a look
 * at the table of mounts, which costs microseconds; all is looked at where that has changed, and once a second.
 *
 * The first word comes at once. A look that fails counts as a disk that is gone. Shared; never completes, and never errors. The
 * timer ends with the last that listens.
 *
 * @param device null: nobody can tell which disk the root is on.
 */
export function device$(
  device: Pick<MountedDevice | KeptDisk, 'check' | 'isAsSeen'> | null,
  scheduler?: SchedulerLike,
): Observable<PauseReason | null> {
  if (device === null) return of(null);
  const check = async (number: number, said: PauseReason | null): Promise<PauseReason | null> => {
    if (number % looksPerCheck !== 0 && (said !== null || device.isAsSeen)) return said;
    const wrong = await device.check();
    return wrong === null ? null : notThere(wrong);
  };
  return defer(() => {
    let said: PauseReason | null = null;
    return timer(0, pollEveryMs, scheduler).pipe(
      exhaustMap(number =>
        defer(() => check(number, said)).pipe(
          catchError((error: Error) => of(notThere(`it can't be seen which disk the root is on: ${error.message}`))),
        ),
      ),
      tap(now => {
        said = now;
      }),
    );
  }).pipe(
    distinctUntilChanged((a, b) => a?.message === b?.message),
    share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: true }),
  );
}

const notThere = (message: string): PauseReason => ({
  key: 'wrong_disk',
  message: `${message}. Nothing is written until then`,
});
