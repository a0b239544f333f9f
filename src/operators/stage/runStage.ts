import {
  combineLatest,
  concat,
  concatMap,
  concatWith,
  connect,
  defer,
  distinctUntilChanged,
  EMPTY,
  endWith,
  filter,
  finalize,
  map,
  merge,
  NEVER,
  type Observable,
  type OperatorFunction,
  of,
  pairwise,
  ReplaySubject,
  share,
  startWith,
  takeUntil,
  tap,
} from 'rxjs';
import { withAccessHint } from '../../files/accessHint.ts';
import { asError } from '../../model/asError.ts';
import type { StageEvent } from '../../model/event.ts';
import type { PauseReason } from '../../model/pauseReason.ts';
import type { StageState } from '../../model/stageName.ts';
import { fromAbortable } from '../../rx/fromAbortable.ts';
import { handover } from '../../rx/handover.ts';
import { mergeUntilComplete } from '../../rx/mergeUntilComplete.ts';
import { retryForever } from '../../rx/retryForever.ts';
import type { Tools } from './experiment.ts';
import { idle, runWorker } from './runWorker.ts';
import type { BegunStage, Stage, StageFlow, Worker } from './stage.ts';

/** A begun stage with all that steers it. */
interface Running<S, T> {
  stage: Stage<S, T, never>;
  begun: BegunStage<S, T>;
  tools: Tools;
  flow: StageFlow;
}

const defaultBackOff = { firstMs: 1000, longestMs: 60_000 };
/** How long old settings may hold up new ones. */
const handoverDeadlineMs = 30_000;

/**
 * Runs a stage: an operator from its settings to events.
 *
 * Each settings value gets a worker (see `handover`): it is opened, claims and processes (see `processOnDemand`), and is closed.
 * What the stage can't do is an alarm, and it tries again (see `retryForever`); it never errors. It completes after
 * `stop$`, or when there will be neither new settings nor new items. What had failed at its work is resolved with the next item that
 * is done, or once it has run for a while without trouble and has nothing in hand. Cut off by unsubscribing, it releases what was in
 * flight and closes; `tools.track` tells when that is over.
 *
 * Paused, by a person or by what it can't work without (a disk that is away, a disk that is full), it finishes what is in flight,
 * closes, and waits: what it needs (camera, memory) is free meanwhile. A reason that is nobody's will is told as an alarm. Nothing
 * begins before it is known whether the stage shall rest. A stage that the configuration has off does not rest, and has no such alarm.
 *
 * What is claimed adds up to what is done, failed, discarded and released; the state `starting`, `stopped` or
 * `paused` says that everything in flight was released. One alarm of the work stands at a time, and one of the reason to rest.
 */
export function runStage<S, T, E>(
  stage: Stage<S, T, E>,
  experiment: E & { readonly tools: Tools },
  flow: StageFlow,
): OperatorFunction<S, StageEvent> {
  return settings$ =>
    defer(() => {
      const begun = stage.begin(experiment, flow);
      const running: Running<S, T> = { stage, begun, tools: experiment.tools, flow };
      const reason$ = combineLatest([flow.pausedBy$ ?? of(null), begun.pausedBy$ ?? of(null)]).pipe(
        map(([outer, own]) => outer ?? own),
        distinctUntilChanged((a, b) => a?.key === b?.key && a?.message === b?.message),
        share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: true }),
      );
      const input$ = stage.withInputs?.(settings$, experiment, flow) ?? settings$;
      const work = (input$: Observable<S>): Observable<StageEvent> =>
        input$.pipe(
          connect(shared$ => {
            const isOn$ = shared$.pipe(map(stage.isEnabled), distinctUntilChanged());
            return shared$.pipe(
              workers(running, reason$),
              mergeUntilComplete(pauseAlarms(running, combineLatest([reason$, isOn$]).pipe(map(ofStage)))),
            );
          }),
        );
      const { beside$ } = begun;
      return input$.pipe(
        beside$ ? connect(shared$ => work(shared$).pipe(mergeUntilComplete(beside$(shared$)))) : work,
        events$ => begun.mapEvents?.(events$) ?? events$,
        concatWith(begun.atEnd ? lastEvents(begun.atEnd, experiment.tools) : EMPTY),
        finalize(() => begun.dispose?.()),
      );
    });
}

/** One that is off has no reason to rest. */
const ofStage = ([reason, isOn]: [PauseReason | null, boolean]): PauseReason | null => (isOn ? reason : null);

/** What is done at the end, even if nobody listens any more. */
function lastEvents(atEnd: () => Promise<readonly StageEvent[]>, { track }: Tools): Observable<StageEvent> {
  return defer(() => track(atEnd())).pipe(concatMap(each => each));
}

/** One worker after the other, each with the newest settings. */
function workers<S, T>(
  running: Running<S, T>,
  reason$: Observable<PauseReason | null>,
): OperatorFunction<S, StageEvent> {
  const { stage, begun, tools, flow } = running;
  const { name } = stage;
  const isPaused$ = combineLatest([flow.paused$ ?? of(false), reason$]).pipe(
    map(([byPerson, reason]) => byPerson || reason !== null),
    distinctUntilChanged(),
    tap(isPaused => {
      if (isPaused) begun.onPause?.();
    }),
  );
  return settings$ =>
    defer(() => {
      /** The next worker opens when the one before it is closed, however it ended. */
      const closing: Closing = { last: Promise.resolve() };
      /** What is wrong, by its key, until it is resolved. */
      let alarm: string | null = null;
      let present: StageState | null = null;
      const resolved = (): StageEvent[] =>
        alarm === null ? [] : [{ stage: name, at: tools.clock.now(), kind: 'well', key: alarm }];
      return settings$.pipe(
        handover<S, StageEvent>(
          (settings, drain$) =>
            concat(
              // What was wrong with the old settings says nothing of the new ones: if it still is, it is said again.
              defer(resolved),
              generation(running, settings, drain$, closing),
            ),
          {
            stop$: flow.stop$,
            deadlineMs: handoverDeadlineMs,
            paused$: isPaused$,
            isPausable: stage.isEnabled,
            onPaused: () => [...resolved(), { stage: name, at: tools.clock.now(), kind: 'state', state: 'paused' }],
            ...(tools.scheduler && { scheduler: tools.scheduler }),
          },
        ),
        endWith(null),
        concatMap(event => {
          if (event !== null) return [event];
          return present === 'paused' ? state(running, 'stopped') : [];
        }),
        // Another failure takes the place of the one before.
        concatMap(event => (event.kind === 'alarm' && event.key !== alarm ? [...resolved(), event] : [event])),
        tap(event => {
          if (event.kind === 'alarm') alarm = event.key;
          else if (event.kind === 'well') alarm = null;
          else if (event.kind === 'state') present = event.state;
        }),
      );
    });
}

/** Why the stage rests, as an alarm. Another reason takes the place of the one before; the same one with other words is told again. */
function pauseAlarms<S, T>(
  { stage: { name }, tools }: Running<S, T>,
  reason$: Observable<PauseReason | null>,
): Observable<StageEvent> {
  return reason$.pipe(
    distinctUntilChanged(),
    startWith(null),
    pairwise(),
    concatMap(([before, now]) => {
      const at = tools.clock.now();
      const events: StageEvent[] = [];
      if (before && before.key !== now?.key) events.push({ stage: name, at, kind: 'well', key: before.key });
      if (now) events.push({ stage: name, at, kind: 'alarm', ...now, retryInMs: 0 });
      return events;
    }),
  );
}

interface Closing {
  last: Promise<unknown>;
}

function generation<S, T>(
  running: Running<S, T>,
  settings: S,
  drain$: Observable<void>,
  closing: Closing,
): Observable<StageEvent> {
  const { stage, begun, tools, flow } = running;
  const { name, backOff } = stage;
  if (!stage.isEnabled(settings)) {
    return concat(state(running, 'off'), NEVER.pipe(takeUntil(merge(drain$, flow.upstreamDone$))));
  }
  const opened$ = fromAbortable<Worker<T>>(
    async signal => {
      const before = closing.last;
      const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
      closing.last = closed;
      try {
        await before;
        signal.throwIfAborted();
        return closingWith(await tools.track(begun.open(settings, signal)), onClosed);
      } catch (error) {
        onClosed();
        throw error;
      }
    },
    // Nobody listens any more: what closing says then is lost with it.
    worker => void tools.track(worker.close(true)).catch(() => undefined),
  );
  let isFailing = false;
  let isAlarmed = false;
  const attempt$ = opened$.pipe(
    takeUntil(drain$),
    concatMap(worker => runWorker({ stage, tools, flow, saysIdle: isFailing }, worker, drain$)),
  );
  let key = '';
  const retried$ = attempt$.pipe(
    retryForever<StageEvent | typeof idle>({
      ...(backOff?.(settings) ?? defaultBackOff),
      random: tools.random,
      stop$: drain$,
      ...(tools.scheduler && { scheduler: tools.scheduler }),
      isOpen: isRunning,
      isResolved: (event, reached) =>
        event === idle ||
        event.kind === 'done' ||
        event.kind === 'round' ||
        (reached === 'opening' && isRunning(event)),
      passesOver: (error, failures) => begun.passesOver?.(asError(error), failures, settings) ?? null,
      onFailure: (error, _failures, retryInMs, isPassedOver) => {
        isFailing = true;
        if (isPassedOver) return idle;
        isAlarmed = true;
        const failure = asError(error);
        key = failure.code ?? failure.name;
        return { stage: name, at: tools.clock.now(), kind: 'alarm', key, message: withAccessHint(failure), retryInMs };
      },
      onResolved: () => {
        isFailing = false;
        if (!isAlarmed) return idle;
        isAlarmed = false;
        return { stage: name, at: tools.clock.now(), kind: 'well', key };
      },
    }),
    filter(event => event !== idle),
  );
  return concat(state(running, 'starting'), retried$, state(running, 'stopped'));
}

const isRunning = (event: StageEvent | typeof idle): boolean =>
  event !== idle && event.kind === 'state' && event.state === 'running';

/** The worker, with something to do once it is closed. */
function closingWith<T>(worker: Worker<T>, onClosed: () => void): Worker<T> {
  return {
    ...worker,
    close: async aborted => {
      try {
        await worker.close(aborted);
      } finally {
        onClosed();
      }
    },
  };
}

function state<S, T>({ stage: { name }, tools }: Running<S, T>, value: StageState): Observable<StageEvent> {
  return defer(() => of<StageEvent>({ stage: name, at: tools.clock.now(), kind: 'state', state: value }));
}
