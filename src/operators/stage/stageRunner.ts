import { isDeepStrictEqual } from 'node:util';
import {
  combineLatest,
  delayWhen,
  distinctUntilChanged,
  EMPTY,
  filter,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  ReplaySubject,
  race,
  Subject,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { Config } from '../../config/schema.ts';
import { isQueueStage } from '../../manifest/stageWork.ts';
import type { Control } from '../../model/control.ts';
import type { PipelineEvent } from '../../model/event.ts';
import type { PauseReason } from '../../model/pauseReason.ts';
import type { Playback } from '../../model/playback.ts';
import type { StageName } from '../../model/stageName.ts';
import { heartbeats } from '../services/heartbeats.ts';
import type { Experiment } from './experiment.ts';
import { runStage } from './runStage.ts';
import type { Stage, StageFlow } from './stage.ts';

/** What steers all stages. */
export interface Steering {
  /** The configuration that counts, from the first one on. Replays. Completes when there will be no other. */
  config$: Observable<Config>;
  /** What a person wants. Replays. */
  control$: Observable<Control>;
  /** Why no stage may work for now; null: they may. The first value comes at once. */
  pausedBy$: Observable<PauseReason | null>;
  /** Emits when all shall finish what is in flight. Replays. */
  stop$: Observable<unknown>;
  /** Stages that this process runs; others may run in other processes, on the same manifest. */
  stages: readonly StageName[];
}

/** A stage that was joined to the graph. */
export interface Joined {
  events$: Observable<PipelineEvent>;
  /** Emits when it has completed, and nothing more will come from it; never when it runs in other processes. */
  done$: Observable<unknown>;
  /** Emits when it does not run here any more, if it ever did. */
  ended$: Observable<unknown>;
}

export interface JoinOptions {
  /** When all of these are done, it finishes what waits and completes. */
  after?: readonly Joined[];
  /** The same, for those that run here. */
  afterHere?: readonly Joined[];
  /** Told to stop, it goes on until these have ended: what they still finish is for it as well. */
  outlives?: readonly Joined[];
}

export interface StageRunner {
  run<S, T>(stage: Stage<S, T>, options?: JoinOptions): Joined;
  /** All that were run, in that order. */
  readonly joined: readonly Joined[];
  /** Signs of life of the stages. Never completes. */
  heartbeats$: Observable<PipelineEvent>;
}

/** Joins stages: gives each its section of the configuration, and ties its end to those of others. */
export function stageRunner(experiment: Experiment, steering: Steering): StageRunner {
  const { config$, control$, pausedBy$, stop$, stages } = steering;
  const alive$ = new Subject<StageName>();
  const joined: Joined[] = [];
  const join = <S, T>(stage: Stage<S, T>, { after = [], afterHere = [], outlives = [] }: JoinOptions): Joined => {
    const { name } = stage;
    if (!stages.includes(name)) return { events$: EMPTY, done$: NEVER, ended$: of(undefined) };
    const completed$ = new ReplaySubject<void>(1);
    const flow: StageFlow = {
      stop$: combineLatest([stop$, ...outlives.map(({ ended$ }) => ended$)]).pipe(
        delayWhen(() => queueFinished(stage, experiment)),
      ),
      upstreamDone$: untilAll([...after.map(({ done$ }) => done$), ...afterHere.map(({ ended$ }) => ended$)]),
      paused$: control$.pipe(
        map(({ paused }) => paused.includes(name)),
        distinctUntilChanged(),
      ),
      pausedBy$,
      config$,
      playback$: control$.pipe(
        map(({ playback = {} }) => playback),
        distinctUntilChanged<Playback>(isDeepStrictEqual),
      ),
      heartbeat: of => alive$.next(of),
    };
    const settings$ = config$.pipe(
      map(config => stage.settings(config, experiment)),
      distinctUntilChanged<S>(isDeepStrictEqual),
      takeUntil(stop$),
    );
    // `experiment` has its own note, which says whose it is.
    const own: Experiment = {
      ...experiment,
      note: (level, message, of = name) => experiment.note(level, message, of),
    };
    const events$ = settings$.pipe(runStage(stage, own, flow), tap({ complete: () => completed$.next() }));
    return { events$, done$: completed$, ended$: completed$ };
  };
  return {
    joined,
    heartbeats$: heartbeats(alive$, experiment.tools),
    run: (stage, options = {}) => {
      const one = join(stage, options);
      joined.push(one);
      return one;
    },
  };
}

/** Emits when nothing waits for a stage any more, or it has had the time that it is given for that. */
function queueFinished<S, T>(
  { name, finishesQueueMs = 0 }: Stage<S, T>,
  { queue, tools }: Experiment,
): Observable<unknown> {
  if (finishesQueueMs === 0 || !isQueueStage(name)) return of(undefined);
  const isEmpty = (): boolean => queue.waiting(name) === 0;
  const empty$ = merge(of(undefined), queue.changes$).pipe(filter(isEmpty));
  return race(empty$, timer(finishesQueueMs, tools.scheduler)).pipe(take(1));
}

/** Emits once all have; never where there are none. */
const untilAll = (each: readonly Observable<unknown>[]): Observable<unknown> =>
  each.length === 0 ? NEVER : combineLatest(each);
