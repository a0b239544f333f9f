import {
  combineLatest,
  concatMap,
  defer,
  distinctUntilChanged,
  map,
  type Observable,
  type OperatorFunction,
  of,
  ReplaySubject,
  scan,
  share,
} from 'rxjs';
import type { StageEvent } from '../model/event.ts';
import type { Hindrance } from '../model/hindrance.ts';
import type { StageName } from '../model/stage.ts';
import { mergeUntilComplete } from '../rx/mergeUntilComplete.ts';
import type { StageTools } from './stage.ts';

/**
 * A stage that rests for as long as something outside of it is in its way, as if it had been paused, with an alarm that says
 * what: it finishes what is in flight, closes, and goes on by itself. Nothing begins before `hindrance$` has said its first word.
 *
 * `build` makes the stage from the tools that it is to have. `hindrance$` is subscribed to once, for as long as the stage
 * lasts; its errors are the stage's. Another hindrance takes the place of the one before; the same one with other words is told again.
 */
export function heldBy<S>(
  name: StageName,
  hindrance$: Observable<Hindrance | null>,
  tools: StageTools,
  build: (tools: StageTools) => OperatorFunction<S, StageEvent>,
): OperatorFunction<S, StageEvent> {
  return settings$ =>
    defer(() => {
      const present$ = hindrance$.pipe(
        distinctUntilChanged((a, b) => a?.key === b?.key && a?.message === b?.message),
        share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: true }),
      );
      const paused$ = combineLatest([tools.paused$ ?? of(false), present$]).pipe(
        map(([paused, hindrance]) => paused || hindrance !== null),
        distinctUntilChanged(),
      );
      const told$ = present$.pipe(
        scan<Hindrance | null, { now: Hindrance | null; before: Hindrance | null }>(
          ({ now: before }, now) => ({ now, before }),
          { now: null, before: null },
        ),
        concatMap(({ now, before }) => {
          const at = tools.clock.now();
          const events: StageEvent[] = [];
          if (before && before.key !== now?.key) events.push({ stage: name, at, kind: 'well', key: before.key });
          if (now) events.push({ stage: name, at, kind: 'alarm', ...now, retryInMs: 0 });
          return events;
        }),
      );
      return settings$.pipe(build({ ...tools, paused$ }), mergeUntilComplete(told$));
    });
}
