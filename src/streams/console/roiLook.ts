import { combineLatest, connect, distinctUntilChanged, filter, map, type Observable, of, switchMap } from 'rxjs';
import { systemClock } from '../../model/clock.ts';
import type { RoiLook } from '../../model/roiInspection.ts';
import { type LookDeps, looked$ } from './roiHistory.ts';

/** The newest frame that was analysed, opened. */
export interface LookedFrame {
  look(label: string): RoiLook;
}

export interface RoiLookOptions {
  /** Gives, subscribed to once, what looks for the newest frame: null while it is the one of the last look. */
  readonly look: Observable<() => Promise<LookedFrame | null>>;
  /** Told once of each reason why no frame can be opened; what is shown stays. */
  readonly onError: (error: Error) => void;
}

/**
 * One ROI in the newest frame that was analysed, and in the next ones. Another ROI of the same frame is there at once.
 *
 * Cold. While the label is null nothing is read, and no frame is kept. Opening frames takes at most a hundredth of the time. Completes with
 * `label$`; never errors on its own.
 */
export function roiLook$(
  { look, onError }: RoiLookOptions,
  label$: Observable<string | null>,
  deps: LookDeps = { clock: systemClock },
): Observable<RoiLook> {
  return label$.pipe(
    connect(labels$ =>
      combineLatest([
        labels$,
        labels$.pipe(
          map(label => label !== null),
          distinctUntilChanged(),
          switchMap(isOpen =>
            isOpen ? look.pipe(switchMap(each => looked$({ look: each, onError }, deps))) : of(null),
          ),
        ),
      ]),
    ),
    filter((both): both is [string, LookedFrame] => both[0] !== null && both[1] !== null),
    map(([label, frame]) => frame.look(label)),
  );
}
