import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  NEVER,
  type Observable,
  type OperatorFunction,
  of,
  type SchedulerLike,
  Subject,
  take,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import type { Clock } from '../model/clock.ts';
import type { StageEvent } from '../model/event.ts';
import type { StageName, StageState } from '../model/stage.ts';
import { abortable } from './abortable.ts';
import { handover } from './handover.ts';
import { recover } from './recover.ts';
import { work } from './work.ts';

/** What every stage is given by the graph. */
export interface StageTools {
  clock: Clock;
  random: () => number;
  /** Ids for what is new; unique across machines, and in order of time. */
  newId: () => string;
  scheduler?: SchedulerLike;
  /** Emits when the pipeline shall stop: finish what is in flight, then complete. Replays. */
  stop$: Observable<unknown>;
  /** Emits when no more can come from upstream: finish what waits, then complete. Replays. */
  upstreamDone$: Observable<unknown>;
  /** Something that must be over before the manifest is closed, whatever becomes of the stream. */
  track<T>(promise: Promise<T>): Promise<T>;
}

/** What became of one entry; what was discarded may never have become one. */
export type Outcome =
  | { kind: 'done'; entryId: string; detail: Readonly<Record<string, string | number>> }
  | { kind: 'failed'; entryId: string; error: string }
  | { kind: 'discarded'; entryId: string | null; reason: string };

/** What one generation of a stage has opened, for as long as it works. */
export interface Station<T> {
  readonly concurrency: number;
  readonly batch: number;
  /** When to look for work, besides at the start and after each finished item. */
  readonly wake$: Observable<unknown>;
  /** Emits when there will be no more items, for a station that knows: what is there is finished, then the generation ends. */
  readonly exhausted$?: Observable<unknown>;
  /**
   * Takes up to `count` items; empty when none waits. An error is the stage's.
   * @param leaving aborted when the stage shall take no more: a claim that waits for something ends at once, empty.
   */
  claim(count: number, leaving: AbortSignal): Promise<readonly T[]>;
  /**
   * Works on one item and settles it. A bad item is an outcome; an error is the stage's, and the item is given back.
   * Once `signal` is aborted nothing may be settled any more.
   */
  perform(item: T, signal: AbortSignal): Promise<readonly Outcome[]>;
  /** Gives back items whose work was cut off. */
  giveBack(items: readonly T[]): Promise<unknown>;
  /** Frees all; nothing is in flight, unless `cutShort`. Called once. */
  close(cutShort: boolean): Promise<unknown>;
}

export interface StageDefinition<S, T> {
  name: StageName;
  tools: StageTools;
  isEnabled: (settings: S) => boolean;
  /** Opens what these settings need, and repairs what a crash has left. An error is an alarm, and it is tried again. */
  open: (settings: S, signal: AbortSignal) => Promise<Station<T>>;
  /** Which entries an item holds; for counting. */
  entriesOf: (item: T) => readonly string[];
  /** First and longest wait after a failure, ms. */
  backOff?: (settings: S) => { firstMs: number; longestMs: number };
}

const defaultBackOff = { firstMs: 1000, longestMs: 60_000 };
/** How long old settings may hold up new ones. */
const handoverDeadlineMs = 30_000;

/**
 * The skeleton of every stage: an operator from settings to events.
 *
 * Each settings value gets a generation (see `handover`): it opens a station, claims and works (see `work`), and closes
 * it. What the stage can't do is an alarm, and it tries again (see `recover`); it never errors. It completes after
 * `stop$`, or when there will be neither new settings nor new items. Cut off by unsubscribing, it gives back what was in
 * flight and closes; `tools.track` tells when that is over.
 */
export function stage<S, T>(definition: StageDefinition<S, T>): OperatorFunction<S, StageEvent> {
  const { stop$, scheduler, clock } = definition.tools;
  /** What is wrong, by its key, until it is well again. */
  let alarm: string | null = null;
  return handover<S, StageEvent>(
    (settings, retire$) =>
      concat(
        // What was wrong with the old settings says nothing of the new ones: if it still is, it is said again.
        defer(() =>
          alarm === null
            ? EMPTY
            : of<StageEvent>({ stage: definition.name, at: clock.now(), kind: 'well', key: alarm }),
        ),
        generation(definition, settings, retire$),
      ).pipe(
        tap(event => {
          if (event.kind === 'alarm') alarm = event.key;
          else if (event.kind === 'well') alarm = null;
        }),
      ),
    { stop$, deadlineMs: handoverDeadlineMs, ...(scheduler && { scheduler }) },
  );
}

function generation<S, T>(
  definition: StageDefinition<S, T>,
  settings: S,
  retire$: Observable<void>,
): Observable<StageEvent> {
  const { name, tools, isEnabled, open, backOff } = definition;
  if (!isEnabled(settings)) {
    return concat(state(definition, 'off'), NEVER.pipe(takeUntil(merge(retire$, tools.upstreamDone$))));
  }
  const opened$ = abortable(async signal => {
    const station = await tools.track(open(settings, signal));
    if (signal.aborted) await tools.track(station.close(true));
    return station;
  });
  const attempt$ = concat(
    state(definition, 'starting'),
    opened$.pipe(concatMap(station => concat(state(definition, 'running'), serve(definition, station, retire$)))),
  );
  let key = '';
  const lasting$ = attempt$.pipe(
    recover<StageEvent>({
      ...(backOff?.(settings) ?? defaultBackOff),
      random: tools.random,
      stop$: retire$,
      ...(tools.scheduler && { scheduler: tools.scheduler }),
      isOpen: event => event.kind === 'state' && event.state === 'running',
      isWell: (event, reached) =>
        event.kind === 'done' || (reached === 'opening' && event.kind === 'state' && event.state === 'running'),
      onFailure: (error, _failures, retryInMs) => {
        const { code, name: type, message } = error as NodeJS.ErrnoException;
        key = code ?? type;
        return { stage: name, at: tools.clock.now(), kind: 'alarm', key, message, retryInMs };
      },
      onWell: () => ({ stage: name, at: tools.clock.now(), kind: 'well', key }),
    }),
  );
  return concat(lasting$, state(definition, 'stopped'));
}

function state<S, T>({ name, tools }: StageDefinition<S, T>, value: StageState): Observable<StageEvent> {
  return defer(() => of<StageEvent>({ stage: name, at: tools.clock.now(), kind: 'state', state: value }));
}

/** Works until retired or done, then closes the station; however it ends, nothing stays claimed. */
function serve<S, T>(
  definition: StageDefinition<S, T>,
  station: Station<T>,
  retire$: Observable<void>,
): Observable<StageEvent> {
  const { tools } = definition;
  return defer(() => {
    const inFlight = new Set<T>();
    const leaving = new AbortController();
    let closed = false;
    const cutShort = async (): Promise<void> => {
      closed = true;
      leaving.abort();
      // First: a worker may take long to end, the claims must not.
      await tools.track(station.giveBack([...inFlight]));
      await tools.track(station.close(true));
    };
    const claim = (count: number): Observable<readonly T[]> =>
      abortable(async signal => {
        const items = await tools.track(station.claim(count, leaving.signal));
        if (signal.aborted) await tools.track(station.giveBack(items));
        return items;
      });
    const over$ = new Subject<void>();
    const worked$ = merge(of(null), station.wake$).pipe(
      takeUntil(retire$.pipe(tap(() => leaving.abort()))),
      work({
        concurrency: station.concurrency,
        batch: station.batch,
        claim,
        perform: item => perform(definition, station, item, inFlight),
        upstreamDone$: merge(tools.upstreamDone$, station.exhausted$ ?? NEVER),
      }),
      tap({ complete: () => over$.next() }),
    );
    const draining$ = retire$.pipe(
      take(1),
      concatMap(() => state(definition, 'draining')),
      takeUntil(over$),
    );
    return concat(
      merge(worked$, draining$),
      defer(() => {
        closed = true;
        return from(tools.track(station.close(false))).pipe(ignoreElements());
      }),
    ).pipe(
      catchError((error: unknown) => {
        if (closed) return throwError(() => error);
        return concat(
          from(cutShort()).pipe(ignoreElements()),
          throwError(() => error),
        );
      }),
      finalize(() => {
        if (!closed) void cutShort().catch(() => undefined);
      }),
    );
  });
}

function perform<S, T>(
  { name, tools, entriesOf }: StageDefinition<S, T>,
  station: Station<T>,
  item: T,
  inFlight: Set<T>,
): Observable<StageEvent> {
  return defer(() => {
    const begun = tools.clock.monotonic();
    inFlight.add(item);
    const claimed: StageEvent = { stage: name, at: tools.clock.now(), kind: 'claimed', count: entriesOf(item).length };
    return concat(
      of(claimed),
      abortable(signal => station.perform(item, signal)).pipe(
        tap(() => inFlight.delete(item)),
        concatMap(outcomes => outcomes),
        map(outcome => ({ stage: name, at: tools.clock.now(), ms: tools.clock.monotonic() - begun, ...outcome })),
      ),
    );
  });
}
