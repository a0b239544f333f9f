import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  filter,
  finalize,
  ignoreElements,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  Subject,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { asError } from '../../model/asError.ts';
import type { StageEvent } from '../../model/event.ts';
import type { StageState } from '../../model/stageName.ts';
import { conflate } from '../../rx/conflate.ts';
import { fromAbortable } from '../../rx/fromAbortable.ts';
import { mergeUntilComplete } from '../../rx/mergeUntilComplete.ts';
import { processOnDemand } from '../../rx/processOnDemand.ts';
import type { Tools } from './experiment.ts';
import { outcomeEvent } from './outcomeEvent.ts';
import type { Rounds, Stage, StageFlow, Worker } from './stage.ts';

/** Says that the worker has looked for work and has had none in hand for some time. */
export const idle = Symbol('idle');

/** How long there must be no trouble, ms, and how often that is looked at. */
const idleMs = 10_000;

export interface RunWorkerOptions<T> {
  stage: Pick<Stage<never, T, never>, 'name' | 'entriesOf'>;
  tools: Tools;
  flow: StageFlow;
  /**
   * Says {@link idle} once, when that is so some time after the beginning: after a failure of the work nothing else may ever show that it
   * is over, since the item may be somebody else's by then. What takes long is not idle: a claim that waits for a device, or an
   * item that is being processed.
   */
  saysIdle: boolean;
}

/**
 * Runs an open worker until `drain$` emits, or all is done, and closes it.
 *
 * Completes once it is closed. An error of the worker is an error of the stream, after what was in flight was released
 * and the worker was closed. Teardown does the same; `tools.track` tells when that is over. However it ends, nothing
 * stays claimed, and `close` was called once.
 */
export function runWorker<T>(
  { stage, tools, flow, saysIdle }: RunWorkerOptions<T>,
  worker: Worker<T>,
  drain$: Observable<void>,
): Observable<StageEvent | typeof idle> {
  const { name } = stage;
  const state = (value: StageState, places?: number): Observable<StageEvent> =>
    defer(() =>
      of<StageEvent>({
        stage: name,
        at: tools.clock.now(),
        kind: 'state',
        state: value,
        ...(places !== undefined && { places }),
      }),
    );
  return defer(() => {
    /** Claimed, and not settled yet. */
    const inFlight = new Set<T>();
    const leaving = new AbortController();
    let isClosed = false;
    let isClaiming = false;
    let isInRound = false;
    let hasClaimed = false;
    const close = async (): Promise<void> => {
      isClosed = true;
      await worker.close(false);
    };
    const abort = async (): Promise<void> => {
      isClosed = true;
      leaving.abort();
      try {
        // First: a thread may take long to end, the claims must not.
        await worker.release([...inFlight]);
      } finally {
        await worker.close(true);
      }
    };
    const beat = (): void => flow.heartbeat?.(name);
    const claim = (count: number): Observable<readonly T[]> =>
      fromAbortable<readonly T[]>(
        () => {
          isClaiming = true;
          return tools.track(worker.claim(count, leaving.signal));
        },
        // Nobody listens any more: what releasing says then is lost with it.
        items => void tools.track(worker.release(items)).catch(() => undefined),
      ).pipe(
        tap(items => {
          isClaiming = false;
          hasClaimed = true;
          for (const item of items) inFlight.add(item);
          beat();
        }),
      );
    const draining$ = drain$.pipe(
      take(1),
      tap(() => leaving.abort()),
      concatMap(() => state('draining')),
    );
    const idle$ = timer(idleMs, idleMs, tools.scheduler).pipe(
      filter(() => inFlight.size === 0 && !isClaiming && !isInRound && hasClaimed),
      take(1),
      map((): typeof idle => idle),
    );
    const round = (rounds: Rounds, isLast: boolean): Observable<StageEvent> =>
      defer(() => {
        const startedMs = tools.clock.monotonic();
        isInRound = true;
        return fromAbortable(signal => tools.track(rounds.run(isLast, signal, leaving.signal))).pipe(
          concatMap((detail): StageEvent[] => {
            const at = tools.clock.now();
            return detail ? [{ stage: name, at, kind: 'round', ms: tools.clock.monotonic() - startedMs, detail }] : [];
          }),
          finalize(() => {
            isInRound = false;
          }),
        );
      });
    const items$ = merge(of(null), worker.wake$, NEVER).pipe(
      takeUntil(drain$),
      processOnDemand({
        concurrency: worker.concurrency,
        batch: worker.batch,
        ...(worker.minBatch !== undefined && { minBatch: worker.minBatch }),
        claim,
        process: item =>
          processItem(item, worker, { stage, tools, leaving: leaving.signal }, () => inFlight.delete(item)),
        upstreamDone$: merge(flow.upstreamDone$, worker.exhausted$ ?? NEVER),
      }),
    );
    const worked$ = (worker.rounds ? withRounds(items$, worker.rounds, drain$, { round, beat }) : items$).pipe(
      mergeUntilComplete(draining$),
      mergeUntilComplete<StageEvent | typeof idle>(saysIdle ? idle$ : EMPTY),
    );
    return concat(
      state('running', worker.places),
      worked$,
      defer(() => tools.track(close())).pipe(ignoreElements()),
    ).pipe(
      catchError((error: unknown) => {
        const failure$ = throwError(() => error);
        if (isClosed) return failure$;
        const isDraining = leaving.signal.aborted;
        return concat(
          defer(() => tools.track(abort())).pipe(
            ignoreElements(),
            catchError((closing: unknown) => throwError(() => both(asError(error), asError(closing)))),
          ),
          // Says that nothing is in flight any more; one that is drained says so by its end.
          isDraining ? EMPTY : state('starting'),
          failure$,
        );
      }),
      finalize(() => {
        // Nobody listens any more: what this says is lost with it.
        if (!isClosed) tools.track(abort()).catch(() => undefined);
      }),
    );
  });
}

/** Rounds beside the items, and a last one after both. */
function withRounds(
  items$: Observable<StageEvent>,
  rounds: Rounds,
  drain$: Observable<void>,
  { round, beat }: { round: (rounds: Rounds, isLast: boolean) => Observable<StageEvent>; beat: () => void },
): Observable<StageEvent> {
  const finished$ = new Subject<void>();
  const rounds$ = merge(of(null), rounds.due$).pipe(
    // Also while one is on that takes long.
    tap(beat),
    takeUntil(merge(drain$, finished$)),
    conflate(() => round(rounds, false)),
  );
  const beside$ = merge(rounds$, items$.pipe(tap({ complete: () => finished$.next() })));
  return concat(beside$, round(rounds, true));
}

function processItem<T>(
  item: T,
  worker: Worker<T>,
  { stage, tools, leaving }: Pick<RunWorkerOptions<T>, 'stage' | 'tools'> & { leaving: AbortSignal },
  onSettled: () => void,
): Observable<StageEvent> {
  return defer(() => {
    const startedMs = tools.clock.monotonic();
    const { name } = stage;
    const count = stage.entriesOf(item).length;
    const workedMs = worker.workedMs?.(item);
    const claimed: StageEvent = {
      stage: name,
      at: tools.clock.now(),
      kind: 'claimed',
      count,
      ...(workedMs !== undefined && { workedMs }),
    };
    return concat(
      of(claimed),
      fromAbortable(signal => tools.track(worker.process(item, signal, leaving))).pipe(
        tap(onSettled),
        concatMap(outcomes => outcomes),
        map(outcome => outcomeEvent(name, outcome, { clock: tools.clock, startedMs })),
      ),
    );
  });
}

/** A failure, and what went wrong when the worker was closed because of it. */
function both(error: NodeJS.ErrnoException, closing: Error): Error {
  const failure: NodeJS.ErrnoException = new Error(
    `${error.message} (and closing failed after it: ${closing.message})`,
    { cause: error },
  );
  failure.name = error.name;
  if (error.code !== undefined) failure.code = error.code;
  return failure;
}
