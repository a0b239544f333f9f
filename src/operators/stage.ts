import {
  concat,
  concatMap,
  defer,
  endWith,
  filter,
  merge,
  NEVER,
  type Observable,
  type OperatorFunction,
  of,
  type SchedulerLike,
  takeUntil,
  tap,
} from 'rxjs';
import type { Clock } from '../model/clock.ts';
import type { StageEvent } from '../model/event.ts';
import type { StageName, StageState } from '../model/stage.ts';
import { fromAbortable } from '../rx/fromAbortable.ts';
import { handover } from '../rx/handover.ts';
import { mergeUntilComplete } from '../rx/mergeUntilComplete.ts';
import { retryForever } from '../rx/retryForever.ts';
import { withAccessHint } from '../storage/accessHint.ts';
import { asError } from './asError.ts';
import { quiet, quietStation } from './quietStation.ts';
import { serve } from './serve.ts';
import { createTurns, type Turns } from './turns.ts';

/** What every stage is given by the graph. */
export interface StageTools {
  clock: Clock;
  random: () => number;
  /** Ids for what is new; unique across machines, and in order of time. */
  newId: () => string;
  scheduler?: SchedulerLike;
  /** Emits when the pipeline shall stop: finish what is in flight, then complete. Replays. */
  stop$: Observable<unknown>;
  /** Whether the stage shall rest for now; the first value comes before anything begins. Absent: it never rests. */
  paused$?: Observable<boolean>;
  /** Told whenever the stage has looked for work, whether there was any or not. */
  alive?: (stage: StageName) => void;
  /** Emits when no more can come from upstream: finish what waits, then complete. Replays. */
  upstreamDone$: Observable<unknown>;
  /** Something that must be over before the manifest is closed, whatever becomes of the stream. */
  track<T>(promise: Promise<T>): Promise<T>;
}

/** What became of one entry; what was discarded may never have become one. */
export type Outcome =
  | { kind: 'done'; entryId: string; detail: Readonly<Record<string, string | number>> }
  | { kind: 'failed'; entryId: string; error: string }
  | { kind: 'discarded'; entryId: string | null; reason: string; count?: number };

/** What one generation of a stage has opened, for as long as it works. */
export interface Station<T> {
  readonly concurrency: number;
  readonly batch: number;
  /** Fewest places to claim for, while items are in work; absent: 1. */
  readonly least?: number;
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
  /**
   * Gives back items whose work was cut off, and those that were never begun. Among them may be one that was settled in
   * the same moment: that one stays settled. A claim that was on its way is given back when it arrives, after `close`.
   */
  giveBack(items: readonly T[]): Promise<unknown>;
  /** Frees all; nothing is in flight, unless `cutShort`. Called once. */
  close(cutShort: boolean): Promise<unknown>;
}

export interface StageDefinition<S, T> {
  name: StageName;
  tools: StageTools;
  isEnabled: (settings: S) => boolean;
  /**
   * Opens what these settings need, and repairs what a crash has left. An error is an alarm, and it is tried again. Never
   * called before everything that was opened earlier is closed. `signal` is aborted when it is not wanted any more.
   */
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
 * `stop$`, or when there will be neither new settings nor new items. What had failed at its work is well with the next item that
 * is done, or once it has run for a while without trouble and has nothing in hand. Cut off by unsubscribing, it gives back what was in
 * flight and closes; `tools.track` tells when that is over.
 *
 * Paused, it finishes what is in flight, closes, and waits: what it needs (camera, memory) is free meanwhile.
 *
 * What is claimed adds up to what is done, failed, discarded and given back; the state `starting`, `stopped` or
 * `paused` says that everything in flight was given back. One alarm stands at a time.
 */
export function stage<S, T>(definition: StageDefinition<S, T>): OperatorFunction<S, StageEvent> {
  const { name, tools } = definition;
  return settings$ =>
    defer(() => {
      /** One station at a time: the next opens when the one before it is closed, however it ended. */
      const turns = createTurns();
      /** What is wrong, by its key, until it is well again. */
      let alarm: string | null = null;
      let present: StageState | null = null;
      const well = (): StageEvent[] =>
        alarm === null ? [] : [{ stage: name, at: tools.clock.now(), kind: 'well', key: alarm }];
      return settings$.pipe(
        handover<S, StageEvent>(
          (settings, retire$) =>
            concat(
              // What was wrong with the old settings says nothing of the new ones: if it still is, it is said again.
              defer(well),
              generation(definition, settings, retire$, turns),
            ),
          {
            stop$: tools.stop$,
            deadlineMs: handoverDeadlineMs,
            ...(tools.paused$ && { hold$: tools.paused$ }),
            atRest: () => [...well(), { stage: name, at: tools.clock.now(), kind: 'state', state: 'paused' }],
            ...(tools.scheduler && { scheduler: tools.scheduler }),
          },
        ),
        endWith(null),
        concatMap(event => {
          if (event !== null) return [event];
          return present === 'paused' ? state(definition, 'stopped') : [];
        }),
        // Another failure takes the place of the one before.
        concatMap(event => (event.kind === 'alarm' && event.key !== alarm ? [...well(), event] : [event])),
        tap(event => {
          if (event.kind === 'alarm') alarm = event.key;
          else if (event.kind === 'well') alarm = null;
          else if (event.kind === 'state') present = event.state;
        }),
      );
    });
}

function generation<S, T>(
  definition: StageDefinition<S, T>,
  settings: S,
  retire$: Observable<void>,
  turns: Turns,
): Observable<StageEvent> {
  const { name, tools, isEnabled, open, backOff } = definition;
  if (!isEnabled(settings)) {
    return concat(state(definition, 'off'), NEVER.pipe(takeUntil(merge(retire$, tools.upstreamDone$))));
  }
  const opened$ = fromAbortable<Station<T>>(
    async signal => {
      const giveTurn = await turns.take();
      try {
        signal.throwIfAborted();
        const station = await tools.track(open(settings, signal));
        return endingWith(station, giveTurn);
      } catch (error) {
        giveTurn();
        throw error;
      }
    },
    // Nobody listens any more: what closing says then is lost with it.
    station => void tools.track(station.close(true)).catch(() => undefined),
  );
  let isFailing = false;
  const attempt$: Observable<StageEvent | typeof quiet> = opened$.pipe(
    takeUntil(retire$),
    concatMap(opened => {
      if (!isFailing) return serve(definition, opened, retire$);
      const { station, quiet$ } = quietStation(opened, tools.scheduler);
      return serve(definition, station, retire$).pipe(mergeUntilComplete<StageEvent | typeof quiet>(quiet$));
    }),
  );
  let key = '';
  const lasting$ = attempt$.pipe(
    retryForever<StageEvent | typeof quiet>({
      ...(backOff?.(settings) ?? defaultBackOff),
      random: tools.random,
      stop$: retire$,
      ...(tools.scheduler && { scheduler: tools.scheduler }),
      isOpen: isRunning,
      isResolved: (event, reached) =>
        event === quiet || event.kind === 'done' || (reached === 'opening' && isRunning(event)),
      onFailure: (error, _failures, retryInMs) => {
        isFailing = true;
        const failure = asError(error);
        key = failure.code ?? failure.name;
        return {
          stage: name,
          at: tools.clock.now(),
          kind: 'alarm',
          key,
          message: withAccessHint(failure),
          retryInMs,
        };
      },
      onResolved: () => {
        isFailing = false;
        return { stage: name, at: tools.clock.now(), kind: 'well', key };
      },
    }),
    filter(event => event !== quiet),
  );
  return concat(state(definition, 'starting'), lasting$, state(definition, 'stopped'));
}

const isRunning = (event: StageEvent | typeof quiet): boolean =>
  event !== quiet && event.kind === 'state' && event.state === 'running';

/** The station, with something to do once it is closed. */
function endingWith<T>(station: Station<T>, onClosed: () => void): Station<T> {
  return {
    ...station,
    close: async cutShort => {
      try {
        await station.close(cutShort);
      } finally {
        onClosed();
      }
    },
  };
}

function state<S, T>({ name, tools }: StageDefinition<S, T>, value: StageState): Observable<StageEvent> {
  return defer(() => of<StageEvent>({ stage: name, at: tools.clock.now(), kind: 'state', state: value }));
}
