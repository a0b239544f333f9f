import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  finalize,
  ignoreElements,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  take,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import type { StageEvent } from '../model/event.ts';
import type { StageState } from '../model/stage.ts';
import { fromAbortable } from '../rx/fromAbortable.ts';
import { mergeUntilComplete } from '../rx/mergeUntilComplete.ts';
import { processOnDemand } from '../rx/processOnDemand.ts';
import { asError } from './asError.ts';
import { outcomeEvent } from './outcomeEvent.ts';
import type { StageDefinition, Station } from './stage.ts';

/**
 * Works with an open station until `retire$` emits, or all is done, and closes it: the part of a stage's generation between
 * opening and closing.
 *
 * Completes once it is closed. An error of the station is an error of the stream, after what was in flight was given back
 * and the station was closed. Teardown does the same; `tools.track` tells when that is over. However it ends, nothing
 * stays claimed, and `close` was called once.
 */
export function serve<S, T>(
  definition: Pick<StageDefinition<S, T>, 'name' | 'tools' | 'entriesOf'>,
  station: Station<T>,
  retire$: Observable<void>,
): Observable<StageEvent> {
  const { name, tools } = definition;
  const state = (value: StageState): Observable<StageEvent> =>
    defer(() => of<StageEvent>({ stage: name, at: tools.clock.now(), kind: 'state', state: value }));
  return defer(() => {
    /** Claimed, and not settled yet. */
    const inFlight = new Set<T>();
    const leaving = new AbortController();
    let closed = false;
    const close = async (): Promise<void> => {
      closed = true;
      await station.close(false);
    };
    const cutShort = async (): Promise<void> => {
      closed = true;
      leaving.abort();
      try {
        // First: a worker may take long to end, the claims must not.
        await station.giveBack([...inFlight]);
      } finally {
        await station.close(true);
      }
    };
    const claim = (count: number): Observable<readonly T[]> =>
      fromAbortable<readonly T[]>(
        () => tools.track(station.claim(count, leaving.signal)),
        // Nobody listens any more: what giving back says then is lost with it.
        items => void tools.track(station.giveBack(items)).catch(() => undefined),
      ).pipe(
        tap(items => {
          for (const item of items) inFlight.add(item);
          tools.alive?.(name);
        }),
      );
    const draining$ = retire$.pipe(
      take(1),
      concatMap(() => state('draining')),
    );
    const worked$ = merge(of(null), station.wake$, NEVER).pipe(
      takeUntil(retire$.pipe(tap(() => leaving.abort()))),
      processOnDemand({
        concurrency: station.concurrency,
        batch: station.batch,
        ...(station.least !== undefined && { minBatch: station.least }),
        claim,
        process: item => perform(definition, station, item, () => inFlight.delete(item)),
        upstreamDone$: merge(tools.upstreamDone$, station.exhausted$ ?? NEVER),
      }),
      mergeUntilComplete(draining$),
    );
    return concat(state('running'), worked$, defer(() => tools.track(close())).pipe(ignoreElements())).pipe(
      catchError((error: unknown) => {
        const failure$ = throwError(() => error);
        if (closed) return failure$;
        const retired = leaving.signal.aborted;
        return concat(
          defer(() => tools.track(cutShort())).pipe(
            ignoreElements(),
            catchError((closing: unknown) => throwError(() => both(asError(error), asError(closing)))),
          ),
          // Says that nothing is in flight any more; one that is retired says so by its end.
          retired ? EMPTY : state('starting'),
          failure$,
        );
      }),
      finalize(() => {
        // Nobody listens any more: what this says is lost with it.
        if (!closed) tools.track(cutShort()).catch(() => undefined);
      }),
    );
  });
}

function perform<S, T>(
  { name, tools, entriesOf }: Pick<StageDefinition<S, T>, 'name' | 'tools' | 'entriesOf'>,
  station: Station<T>,
  item: T,
  onSettled: () => void,
): Observable<StageEvent> {
  return defer(() => {
    const begun = tools.clock.monotonic();
    const claimed: StageEvent = { stage: name, at: tools.clock.now(), kind: 'claimed', count: entriesOf(item).length };
    return concat(
      of(claimed),
      fromAbortable(signal => tools.track(station.perform(item, signal))).pipe(
        tap(onSettled),
        concatMap(outcomes => outcomes),
        map(outcome => outcomeEvent(name, outcome, { clock: tools.clock, begun })),
      ),
    );
  });
}

/** A failure, and what went wrong when the station was closed because of it. */
function both(error: NodeJS.ErrnoException, closing: Error): Error {
  const failure: NodeJS.ErrnoException = new Error(
    `${error.message} (and closing failed after it: ${closing.message})`,
    { cause: error },
  );
  failure.name = error.name;
  if (error.code !== undefined) failure.code = error.code;
  return failure;
}
