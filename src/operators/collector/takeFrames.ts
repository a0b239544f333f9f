import { filter, merge, Observable, timer } from 'rxjs';
import type { ImageFormat } from '../../image/encodeImage.ts';
import type { ImageTransform } from '../../image/transformPixels.ts';
import type { IdTable } from '../../manifest/idTable.ts';
import { deterministicId } from '../../manifest/normaliseEntry.ts';
import { asError } from '../../model/asError.ts';
import type { CameraData, TemperatureData } from '../../model/entry.ts';
import type { SourceFrame } from '../../model/frame.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import type { Experiment, Tools } from '../stage/experiment.ts';
import type { Schedule } from './schedule.ts';

/** When a camera is triggered. */
export type Trigger = Pick<Schedule, 'due$' | 'take' | 'putBack'>;

/** What of the collector's settings says how its frames are taken. */
export interface FrameSettings {
  /** A folder is replayed at this many times its recorded pace; infinite: as fast as there is room. */
  speed: number;
  transform: ImageTransform;
  format: ImageFormat;
}

/** A frame on its way from the source to the manifest. */
export interface Collected {
  frame: SourceFrame;
  id: string;
  /** How long the camera took for it, ms; of an image that was there already, 0. */
  exposedMs: number;
  /** When it was taken, by the clock that does not jump, ms: it may be recorded much later, when a disk was full. */
  monotonicMs: number;
  /** As it was set when the frame was taken. */
  transform: ImageTransform;
  format: ImageFormat;
  /** What the sensors said for it; null where none is on. */
  temperature: TemperatureData | null;
  /** Intervals of the schedule that went by between the frame before and this one. */
  missed: number;
  /** Where its image stands, once it does: it is not written twice when only its entry could not be recorded. */
  place: Pick<CameraData, 'filepath' | 'filename'> | null;
  /** How long its image is that was written; 0 until then, and of one that was there already. */
  bytes: number;
}

/** Images that may wait for the processor before a folder's next ones are taken in. */
const maxWaiting = 500;
/** Longer timers of Node end at once. */
const longestTimerMs = 2 ** 31 - 1;

export interface Frames {
  wake$: Observable<unknown>;
  /** Up to `count`; an error only when none is on its way, so that none is dropped with it. */
  frames(count: number, leaving: AbortSignal): Promise<Collected[]>;
}

/** What a camera has failed with: the configuration says how much of that is passed over. */
export const failuresOfCamera = new WeakSet<Error>();

/** Remembers a failure as one of the camera. */
export async function ofCamera<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (thrown) {
    const error = asError(thrown);
    failuresOfCamera.add(error);
    throw error;
  }
}

/** A frame each interval of the trigger; the intervals that went by since the frame before are counted with the next one. */
export function triggeredFrames(
  source: FrameSource,
  trigger: Trigger,
  { transform, format }: FrameSettings,
  { tools }: Pick<Experiment, 'tools'>,
): Frames {
  return {
    wake$: trigger.due$,
    frames: async (_count, leaving) => {
      const begun = trigger.take();
      if (begun === 0) return [];
      try {
        const begunMs = tools.clock.monotonic();
        const frame = await ofCamera(source.next(leaving));
        if (!frame) return [];
        const monotonicMs = tools.clock.monotonic();
        return [
          {
            frame,
            id: tools.newId(),
            monotonicMs,
            exposedMs: monotonicMs - begunMs,
            transform,
            format,
            temperature: null,
            missed: begun - 1,
            place: null,
            bytes: 0,
          },
        ];
      } catch (error) {
        if (leaving.aborted) return [];
        // What was taken for this frame stands for no frame: the next one tells of it.
        trigger.putBack(begun);
        throw error;
      }
    },
  };
}

/** Images of a folder, as there is room for them and, unless the speed is infinite, as their time comes. */
export function ownPaceFrames(
  source: FrameSource,
  { speed, transform, format }: FrameSettings,
  known: IdTable,
  { queue, tools }: Pick<Experiment, 'queue' | 'tools'>,
  { inFlight, onEnd }: { inFlight: () => number; onEnd: () => void },
): Frames {
  const paced = Number.isFinite(speed);
  let ended = false;
  /** What the source said while frames before it were on their way: it counts once they have arrived. */
  let failure: { error: unknown } | null = null;
  let began: { clock: number; elapsed: number } | null = null;

  const untilDue = async (frame: SourceFrame, signal: AbortSignal): Promise<void> => {
    if (frame.kind !== 'imported' || !paced) return;
    began ??= { clock: tools.clock.monotonic(), elapsed: frame.elapsedMs };
    const due = began.clock + (frame.elapsedMs - began.elapsed) / speed;
    for (;;) {
      const wait = due - tools.clock.monotonic();
      if (wait <= 0) return;
      await delay(Math.min(wait, longestTimerMs), signal, tools);
    }
  };

  const take = async (room: number, leaving: AbortSignal, taken: Collected[]): Promise<void> => {
    while (!ended && taken.length < room && !leaving.aborted) {
      if (source.arrivals && !source.arrivals.has()) return;
      const frame = await source.next(leaving);
      if (!frame) {
        ended = true;
        onEnd();
        return;
      }
      const id = idOf(frame, tools);
      // Before its time comes: an import that goes on does not wait again for what it has.
      if (known.find(id) >= 0 || queue.get(id)) continue;
      await untilDue(frame, leaving);
      // Its entry may be archived before the same file is seen again.
      if (source.arrivals) known.add(id);
      taken.push({
        frame,
        id,
        monotonicMs: tools.clock.monotonic(),
        exposedMs: 0,
        transform,
        format,
        temperature: null,
        missed: 0,
        place: null,
        bytes: 0,
      });
    }
  };

  const arrived$ = new Observable<void>(subscriber => source.arrivals?.subscribe(() => subscriber.next()));
  return {
    wake$: merge(queue.changes$, arrived$).pipe(filter(() => !ended && queue.waiting('processor') < maxWaiting)),
    frames: async (count, leaving) => {
      const taken: Collected[] = [];
      const room = maxWaiting - queue.waiting('processor') - inFlight();
      if (!failure) {
        try {
          await take(Math.min(paced ? 1 : count, room), leaving, taken);
        } catch (error) {
          if (!leaving.aborted) failure = { error };
        }
      }
      if (failure && taken.length === 0 && inFlight() === 0) throw failure.error;
      return taken;
    },
  };
}

function idOf(frame: SourceFrame, tools: Tools): string {
  if (frame.kind !== 'imported') return tools.newId();
  return frame.id ?? deterministicId(frame.folder, frame.filename, frame.taken.local);
}

function delay(ms: number, signal: AbortSignal, { scheduler }: Tools): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      waiting.unsubscribe();
      reject(signal.reason);
    };
    const waiting = timer(ms, scheduler).subscribe(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
