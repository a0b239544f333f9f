import type { Observable } from 'rxjs';
import type { Config } from '../../config/schema.ts';
import type { StageEvent } from '../../model/event.ts';
import type { PauseReason } from '../../model/pauseReason.ts';
import type { Playback } from '../../model/playback.ts';
import type { StageName } from '../../model/stageName.ts';
import type { Experiment, Replay, SettingsSource, Tools } from './experiment.ts';

/** How the graph steers a stage. */
export interface StageFlow {
  /** Emits when the pipeline shall stop: finish what is in flight, then complete. Replays. */
  stop$: Observable<unknown>;
  /** Emits when no more can come from upstream: finish what waits, then complete. Replays. */
  upstreamDone$: Observable<unknown>;
  /** Whether a person has paused it; the first value comes before anything begins. Absent: nobody can. */
  paused$?: Observable<boolean>;
  /** Why it must rest for now, as the graph sees it; null: it need not. The first value comes before anything begins. */
  pausedBy$?: Observable<PauseReason | null>;
  /** The configuration that counts, for what may change without new settings. Replays. */
  config$?: Observable<Config>;
  /** How a person wants a replay to go on; the first value comes at once. Absent: nobody can steer it. */
  playback$?: Observable<Playback>;
  /** Told whenever the stage has looked for work, whether there was any or not. */
  heartbeat?: (stage: StageName) => void;
}

/** How often the configuration asks a stage to come round, and for how many items; null: no oftener than there is work. */
export interface Pace {
  intervalMs: number | null;
  perMinute: number | null;
}

/**
 * A stage, as one value: all that the graph must know of it. Its worker is the part that does the work; see {@link runStage}.
 *
 * @typeParam S its settings: all that it sees of the configuration. Other settings, by value, are a handover to a new worker.
 * @typeParam T one item of its work
 * @typeParam E what it needs of the experiment
 */
export interface Stage<S, T, E = Experiment> {
  readonly name: StageName;
  /** A root may have only one of it at a time; others may run in any number of processes. */
  readonly exclusive: boolean;
  settings(config: Config, experiment: SettingsSource): S;
  /** What it follows of the configuration besides, with the worker that it has. Absent: nothing. */
  follows?(config: Config, experiment: Pick<SettingsSource, 'replay'>): unknown;
  isEnabled(settings: S): boolean;
  pace(config: Config, experiment: Pick<SettingsSource, 'replay'>): Pace;
  /** Which entries an item holds; for counting. */
  entriesOf(item: T): readonly string[];
  /** Told to stop, it still takes what waits for it, for so long at most, ms. Absent: it finishes what is in flight. */
  readonly finishesQueueMs?: number;
  /** First and longest wait after a failure, ms. */
  backOff?(settings: S): { firstMs: number; longestMs: number };
  /** Joins its settings with what else a new worker depends on. */
  withInputs?(settings$: Observable<S>, experiment: E & { readonly tools: Tools }, flow: StageFlow): Observable<S>;
  /** Begins it, once for as long as the pipeline lasts. What workers leave to the next ones is kept there. */
  begin(experiment: E & { readonly tools: Tools }, flow: StageFlow): BegunStage<S, T>;
}

/** A stage for as long as the pipeline lasts. */
export interface BegunStage<S, T> {
  /**
   * Opens what these settings need, and repairs what a crash has left. An error is an alarm, and it is tried again. Never
   * called before everything that was opened earlier is closed. `signal` is aborted when it is not wanted any more.
   */
  open(settings: S, signal: AbortSignal): Promise<Worker<T>>;
  /**
   * Whether a failure, the `failures`th in a row, is no alarm yet: how long to wait before the next try, ms; null: it is an alarm. The
   * stage says itself what there is to say of it.
   */
  passesOver?(error: Error, failures: number, settings: S): number | null;
  /** Why it must rest for now, as it sees it itself. */
  pausedBy$?: Observable<PauseReason | null>;
  /** Told when it shall rest, for whatever reason. */
  onPause?(): void;
  /** Events besides those of the worker, for as long as the stage lasts. */
  beside$?(settings$: Observable<S>): Observable<StageEvent>;
  /** Changes what the stage tells. */
  mapEvents?(events$: Observable<StageEvent>): Observable<StageEvent>;
  /** What is to be done when the last worker has closed, and what there is to tell of it. */
  atEnd?(): Promise<readonly StageEvent[]>;
  /** Frees what it holds, at the end or when it is cut off. */
  dispose?(): void;
}

/** What became of one entry; what was discarded may never have become one. */
export type Outcome =
  | { kind: 'done'; entryId: string; detail: Readonly<Record<string, string | number>> }
  | { kind: 'failed'; entryId: string; error: string }
  | { kind: 'discarded'; entryId: string | null; reason: string; count?: number };

/**
 * What a worker keeps up to date as a whole, besides its items: a round is no item, and concerns no entry. There is one at the start,
 * one whenever it is due, never two at once, and a last one when the last item is finished.
 */
export interface Rounds {
  readonly due$: Observable<unknown>;
  /**
   * Resolves with what there is to say of it; null when it was given up. An error is the stage's.
   * @param signal aborted when the worker is cut off.
   * @param leaving aborted when the stage shall come to its end.
   */
  run(
    isLast: boolean,
    signal: AbortSignal,
    leaving: AbortSignal,
  ): Promise<Readonly<Record<string, string | number>> | null>;
}

/** What works with one value of a stage's settings: it takes items, processes and settles them. */
export interface Worker<T> {
  readonly concurrency: number;
  readonly batch: number;
  /** On how many entries it works at once, for its utilisation; absent: one, or one batch. */
  readonly places?: number;
  /** How long it had worked for an item before it was claimed, ms: a camera exposes. Absent: not at all. */
  workedMs?(item: T): number;
  /** Fewest free places to claim for, while items are in flight; absent: 1. */
  readonly minBatch?: number;
  /** When to look for work, besides at the start and after each finished item. */
  readonly wake$: Observable<unknown>;
  /** Emits when there will be no more items, for a worker that knows: what is there is finished, then it ends. */
  readonly exhausted$?: Observable<unknown>;
  /**
   * Takes up to `count` items; empty when none waits. An error is the stage's.
   * @param leaving aborted when the stage shall take no more: a claim that waits for something ends at once, empty.
   */
  claim(count: number, leaving: AbortSignal): Promise<readonly T[]>;
  /**
   * Processes one item and settles it. A bad item is an outcome; an error is the stage's, and the item is released.
   * Once `signal` is aborted nothing may be settled any more.
   * @param leaving as of {@link claim}: for what would take too long then.
   */
  process(item: T, signal: AbortSignal, leaving: AbortSignal): Promise<readonly Outcome[]>;
  readonly rounds?: Rounds;
  /**
   * Releases items whose processing was cut off, and those that were never begun. Among them may be one that was settled in
   * the same moment: that one stays settled. A claim that was on its way is released when it arrives, after `close`.
   */
  release(items: readonly T[]): Promise<unknown>;
  /** Frees all; nothing is in flight, unless `aborted`. Called once. */
  close(aborted: boolean): Promise<unknown>;
}

/** Images per minute that the camera brings, which every stage must keep up with; null where a folder is read as fast as there is room. */
export function framesPerMinute({ Camera, Services, Timing }: Config, replay: Replay | null): number | null {
  if (replay !== null || !Services.enable_camera || isFolder(Camera)) return null;
  return 60 / Timing.collector_interval_seconds;
}

/** Whether frames come from a folder of images, at times that the configuration does not say. */
export const isFolder = ({ camera_type: type }: Pick<Config['Camera'], 'camera_type'>): boolean =>
  type === 'file_importer' || type === 'watch_folder';
