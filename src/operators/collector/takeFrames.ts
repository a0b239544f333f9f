import { EMPTY, filter, firstValueFrom, fromEvent, map, merge, Observable, takeUntil } from 'rxjs';
import type { ImageFormat } from '../../image/encodeImage.ts';
import type { ImageTransform } from '../../image/transformPixels.ts';
import type { IdTable } from '../../manifest/idTable.ts';
import { deterministicId } from '../../manifest/normaliseEntry.ts';
import { asError } from '../../model/asError.ts';
import type { Clock } from '../../model/clock.ts';
import type { CameraData, TemperatureData } from '../../model/entry.ts';
import type { SourceFrame } from '../../model/frame.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import type { Experiment, Tools } from '../stage/experiment.ts';
import type { ReplayCourse } from './replayCourse.ts';
import type { ReplayPace } from './replayPace.ts';
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

/** How the images of a folder are gone through. */
export interface OwnPace {
  pace: ReplayPace;
  /** Only of a replay. */
  course: ReplayCourse | null;
  /** Images that were taken and are not recorded yet. */
  inFlight: () => number;
  onEnd: () => void;
}

/** An image of the folder that comes next, and is not taken yet. */
interface HeldFrame {
  frame: SourceFrame;
  id: string;
}

/** Images of a folder, as there is room for them and, unless the speed is infinite, as their time comes. */
export function ownPaceFrames(
  source: FrameSource,
  { speed, transform, format }: FrameSettings,
  known: IdTable,
  { queue, tools }: Pick<Experiment, 'queue' | 'tools'>,
  { pace, course, inFlight, onEnd }: OwnPace,
): Frames {
  let ended = false;
  /** What the source said while frames before it were on their way: it counts once they have arrived. */
  let failure: { error: unknown } | null = null;
  let held: HeldFrame | null = null;
  const readAhead = course ? new ReadAhead(tools.clock) : null;
  const room = (): number => (readAhead?.most ?? maxWaiting) - queue.waiting('processor') - inFlight();
  pace.begin(speed);
  course?.open(source.recording ?? null);

  /** The next image that is not known; null at the end. */
  const pull = async (leaving: AbortSignal): Promise<HeldFrame | null> => {
    for (;;) {
      course?.go();
      const frame = await source.next(leaving);
      if (!frame) return null;
      const id = idOf(frame, tools);
      // Before its time comes: an import that goes on does not wait again for what it has.
      if (known.find(id) < 0 && !queue.get(id)) return { frame, id };
      if (frame.kind === 'imported') course?.came(frame, true);
    }
  };

  const take = async (count: number, leaving: AbortSignal, taken: Collected[]): Promise<void> => {
    while (!ended && taken.length < count && !leaving.aborted) {
      if (source.arrivals && !source.arrivals.has()) return;
      if (course?.go()) held = null;
      held ??= await pull(leaving);
      if (!held) {
        ended = true;
        course?.end();
        onEnd();
        return;
      }
      const { frame, id } = held;
      if (frame.kind === 'imported') {
        // What is taken already does not wait with it.
        if (taken.length > 0 && !pace.isDue(frame.elapsedMs)) return;
        if ((await nextMove(frame.elapsedMs, leaving)) !== 'due') continue;
        if (course) course.came(frame, false);
        else pace.took(frame.elapsedMs);
      }
      held = null;
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

  const nextMove = async (elapsedMs: number, leaving: AbortSignal): Promise<'due' | 'sought' | 'left'> => {
    if (leaving.aborted) return 'left';
    return firstValueFrom(
      merge(
        course?.sought$.pipe(map(() => 'sought' as const)) ?? EMPTY,
        pace.due$(elapsedMs).pipe(map(() => 'due' as const)),
      ).pipe(takeUntil(fromEvent(leaving, 'abort'))),
      { defaultValue: 'left' as const },
    );
  };

  const arrived$ = new Observable<void>(subscriber => source.arrivals?.subscribe(() => subscriber.next()));
  return {
    wake$: merge(queue.changes$, arrived$).pipe(filter(() => !ended && room() > 0)),
    frames: async (count, leaving) => {
      const taken: Collected[] = [];
      readAhead?.look(queue.waiting('processor') + inFlight());
      if (!failure) {
        try {
          await take(Math.min(count, room()), leaving, taken);
        } catch (error) {
          if (!leaving.aborted) failure = { error };
        }
      }
      readAhead?.add(taken.length);
      if (failure && taken.length === 0 && inFlight() === 0) throw failure.error;
      return taken;
    },
  };
}

/** Images that a replay reads ahead at least; and of how long, at the rate at which they are analysed, ms. */
const leastAhead = 8;
const aheadMs = 2000;

/** How many images of a replay may wait for the processor: enough for it to be busy, and few, since they are analysed after a pause as well. */
class ReadAhead {
  readonly #clock: Clock;
  #given = 0;
  #since: { at: number; finished: number } | null = null;
  #perMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get most(): number {
    return Math.min(maxWaiting, Math.max(leastAhead, Math.ceil(this.#perMs * aheadMs)));
  }

  add(taken: number): void {
    this.#given += taken;
  }

  /** @param waiting images that were given and are not analysed yet. */
  look(waiting: number): void {
    const at = this.#clock.monotonic();
    const finished = this.#given - waiting;
    this.#since ??= { at, finished };
    const { at: before, finished: then } = this.#since;
    if (at - before < aheadMs / 4) return;
    this.#perMs = Math.max(0, finished - then) / (at - before);
    this.#since = { at, finished };
  }
}

function idOf(frame: SourceFrame, tools: Tools): string {
  if (frame.kind !== 'imported') return tools.newId();
  return frame.id ?? deterministicId(frame.folder, frame.filename, frame.taken.local);
}
