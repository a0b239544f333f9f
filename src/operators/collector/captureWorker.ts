import { ReplaySubject } from 'rxjs';
import type { IdTable } from '../../manifest/idTable.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import type { Outcome, Worker } from '../stage/stage.ts';
import { type Recorder, recordFrame } from './recordFrame.ts';
import type { ReplayCourse } from './replayCourse.ts';
import type { ReplayPace } from './replayPace.ts';
import { missedFrames } from './schedule.ts';
import { type Collected, type FrameSettings, ownPaceFrames, type Trigger, triggeredFrames } from './takeFrames.ts';
import type { Temperatures } from './temperatures.ts';

/** A camera exposes while frames before it are recorded: so many in all, since a disk is slow now and then. Each takes its pixels in memory. */
const framesInFlight = 4;
/** Imported images recorded in one go. */
const importBatch = 64;

export interface CaptureWorkerOptions {
  source: FrameSource;
  settings: FrameSettings & { readonly intervalMs: number };
  trigger: Trigger;
  /** Ids of images that are passed over. */
  known: IdTable;
  /** Captured, and not yet recorded, because writing failed: these are recorded first. What the worker can't record comes to them. */
  kept: Collected[];
  temperatures: Temperatures | null;
  pace: ReplayPace;
  course: ReplayCourse | null;
}

/** Takes frames of an open source and records them: those of a camera one after another, so that none overtakes one that could not be recorded. */
export function captureWorker(
  { source, settings, trigger, known, kept, temperatures, pace, course }: CaptureWorkerOptions,
  recorder: Recorder,
): Worker<Collected> {
  const { experiment } = recorder;
  const exhausted$ = new ReplaySubject<void>(1);
  const triggered = source.pace === 'triggered';
  /** Taken from the source, and neither recorded nor kept. */
  let inFlight = 0;
  const take = triggered
    ? triggeredFrames(source, trigger, settings, experiment)
    : ownPaceFrames(source, settings, known, experiment, {
        pace,
        course,
        inFlight: () => inFlight,
        onEnd: () => exhausted$.next(),
      });
  const recording = new WeakMap<Collected, Promise<Outcome | null>>();
  /** Of the newest frame. */
  let recordingNow: Promise<unknown> = Promise.resolve();
  let isTriedAgain = false;
  const keep = (item: Collected): void => {
    if (!kept.includes(item)) kept.push(item);
  };
  return {
    concurrency: triggered ? framesInFlight : importBatch,
    batch: triggered ? 1 : importBatch,
    workedMs: ({ exposedMs }) => exposedMs,
    wake$: take.wake$,
    exhausted$,
    claim: async (count, leaving) => {
      const again = kept.splice(0, count);
      inFlight += again.length;
      if (again.length > 0) {
        isTriedAgain = true;
        return again;
      }
      if (isTriedAgain) {
        // Where nothing can be recorded no further frame is taken: they would add up.
        await recordingNow;
        isTriedAgain = false;
      }
      const triggeredMs = experiment.tools.clock.monotonic();
      const items = await take.frames(count, leaving).catch(async (error: unknown) => {
        // What is being recorded is told of before the worker ends.
        await recordingNow.catch(() => undefined);
        throw error;
      });
      inFlight += items.length;
      for (const item of temperatures ? items : []) {
        if (triggered) item.temperature = temperatures!.take(triggeredMs, settings.intervalMs);
        else if (source.arrivals) item.temperature = temperatures!.takeFor(item.frame.taken);
      }
      return items;
    },
    process: item => {
      const recorded = triggered ? recordingNow.then(() => recordFrame(item, recorder)) : recordFrame(item, recorder);
      recording.set(item, recorded);
      const outcomes = recorded.then(outcome => {
        inFlight--;
        if (outcome === null) {
          keep(item);
          return [];
        }
        return item.missed === 0
          ? [outcome]
          : [outcome, missedFrames(item.missed, 'no frame was taken in the interval')];
      });
      recordingNow = outcomes;
      return outcomes;
    },
    release: async items => {
      for (const item of items) {
        if (item.frame.kind === 'imported') continue;
        // What is being written goes on: only afterwards is it known whether it must be written again.
        const isRecorded = await recording.get(item)?.then(
          outcome => outcome !== null,
          () => false,
        );
        if (!isRecorded) keep(item);
      }
    },
    close: () => {
      temperatures?.rest();
      return source.close();
    },
  };
}
