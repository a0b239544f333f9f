import { combineLatest, distinctUntilChanged, EMPTY, map, type Observable, scan, startWith } from 'rxjs';
import type { Amount } from '../../config/kinds/amount.ts';
import type { DiskSpace } from '../../files/diskSpace.ts';
import type { Queue } from '../../manifest/queue.ts';
import { countedStages, type QueueStage } from '../../manifest/stageWork.ts';
import type { Clock } from '../../model/clock.ts';
import type { PauseReason } from '../../model/pauseReason.ts';
import { bytes, number } from '../../model/quantity.ts';
import { namesLimits, type SpaceLimits, spaceLimits } from '../ringBuffer/spaceLimits.ts';

/** How much shall stay free, and whether images are deleted for it. */
export interface WantedSpace {
  /** `min_free_disk`. */
  minFree: Amount;
  /** Every image stays: `image_buffer_size` is 0, and there are no copies on a share. */
  keepsAll: boolean;
}

/** An image for which there was no room beside the reserve. */
export interface Refusal {
  /** Its size, bytes. */
  image: number;
  /** What the disk said. */
  space: DiskSpace;
}

export interface DiskFullOptions {
  /** Of the disk of `data_dir`, about once a second. */
  space$: Observable<DiskSpace | null>;
  /** What the configuration asks for, and as it changes. */
  wanted$: Observable<WantedSpace>;
  /** Each image that was refused. */
  refused$?: Observable<Refusal>;
  queue: Pick<Queue, 'waiting' | 'inFlight' | 'localImages'>;
  clock: Clock;
  /** `data_dir`, for the message. */
  dataFolder: string;
}

/** So long the ring buffer may take to make room before capture pauses, ms. */
const patienceMs = 5000;
/** While it lasts the message is made anew so often, ms. */
const reportEveryMs = 60_000;

/** What images in each stage's queue wait for. */
const waitsFor: Readonly<Record<Exclude<QueueStage, 'ring_buffer'>, string>> = {
  processor: 'to be analysed',
  communicator: 'to be reported',
  compressor: 'to be compressed',
  syncer: 'for the share',
};

interface State {
  /** When less than `low` was first free, ms of the monotonic clock; null: it is not. */
  shortSince: number | null;
  reportedAt: number;
  reason: PauseReason | null;
  /** The last one that was seen. */
  refusal: Refusal | null;
  /** Bytes of the image that waits for room; 0: none does. */
  image: number;
}

/**
 * Whether there is room to capture: null, or why there is none. At once when less than the reserve is free, or an image was
 * refused; when less than `min_free_disk` is, and the ring buffer may not change that, or has not after {@link patienceMs}. Then until
 * somewhat more is free (`spaceLimits`), and the image that was refused fits. Where the disk can't be asked, what was known of it holds.
 *
 * Emits with the first sample, and whenever it changes. Completes and errors with its sources.
 */
export function diskFull$(options: DiskFullOptions): Observable<PauseReason | null> {
  const first: State = { shortSince: null, reportedAt: 0, reason: null, refusal: null, image: 0 };
  const refused$ = (options.refused$ ?? EMPTY).pipe(startWith(null));
  return combineLatest([options.space$, options.wanted$, refused$]).pipe(
    scan((state: State, [space, wanted, refusal]) => {
      if (refusal && refusal !== state.refusal) return refuse(state, refusal, wanted, options);
      return space ? next(state, space, wanted, options) : state;
    }, first),
    map(({ reason }) => reason),
    distinctUntilChanged(),
  );
}

/** It says so at once, since the image waits. Where capture rests already, it goes on only when the image fits too. */
function refuse(state: State, refusal: Refusal, wanted: WantedSpace, options: DiskFullOptions): State {
  const { image, space } = refusal;
  const now = options.clock.monotonic();
  const reportedAt = state.reason ? state.reportedAt : now;
  return {
    ...state,
    refusal,
    image,
    reportedAt,
    reason: state.reason ?? pauseReason(space, image, wanted, options),
  };
}

function next(state: State, space: DiskSpace, wanted: WantedSpace, options: DiskFullOptions): State {
  const now = options.clock.monotonic();
  const { image } = state;
  const limits = spaceLimits(wanted.minFree, space.size, image);
  const { free, names } = space;
  const namesAreBelow = (limit: keyof SpaceLimits): boolean =>
    names !== undefined && names.free < namesLimits(names.size)[limit];
  if (state.reason) {
    if (free >= limits.enough && !namesAreBelow('enough'))
      return { ...state, shortSince: null, reportedAt: 0, reason: null, image: 0 };
    if (now - state.reportedAt < reportEveryMs) return state;
    return { ...state, reportedAt: now, reason: pauseReason(space, image, wanted, options) };
  }
  const shortSince = free < limits.low || namesAreBelow('low') ? (state.shortSince ?? now) : null;
  // Where every image stays, the ring buffer makes no room.
  const isTooLong = shortSince !== null && (wanted.keepsAll || now - shortSince >= patienceMs);
  if (free >= limits.reserve && !namesAreBelow('reserve') && !isTooLong) return { ...state, shortSince };
  return { ...state, shortSince, reportedAt: now, reason: pauseReason(space, image, wanted, options) };
}

function pauseReason(space: DiskSpace, image: number, wanted: WantedSpace, options: DiskFullOptions): PauseReason {
  const limits = spaceLimits(wanted.minFree, space.size);
  const { enough } = spaceLimits(wanted.minFree, space.size, image);
  const { names } = space;
  const namesEnough = names === undefined ? 0 : namesLimits(names.size).enough;
  if (names !== undefined && names.free < namesEnough && space.free >= enough) {
    const left =
      names.free === 0
        ? 'there are no free file names (inodes)'
        : `only ${names.free} free file names (inodes) are left`;
    return {
      key: 'no_room',
      message:
        `${left} on the disk of ${options.dataFolder}, though ${bytes(space.free)} are free: ` +
        `no frames are taken until ${namesEnough} are free. ${whyNothingGoes(limits, wanted, options.queue)}`,
    };
  }
  const rule = ruleOf(limits, image, wanted);
  const begin = `only ${bytes(space.free)} are free on the disk of ${options.dataFolder}, and ${rule}`;
  const message =
    enough > space.size
      ? `${begin}. The whole disk has ${bytes(space.size)}, so that no frame can ever be taken: set min_free_disk lower`
      : `${begin}: no frames are taken until ${bytes(enough)} are free. ${whyNothingGoes(limits, wanted, options.queue)}`;
  return { key: 'no_room', message };
}

function ruleOf({ low, reserve }: SpaceLimits, image: number, { minFree }: WantedSpace): string {
  if (image > 0)
    return `the next image takes ${bytes(image)} of what is beyond the ${bytes(reserve)} that must stay free`;
  return low > reserve ? `min_free_disk is ${minFree.text}` : `${bytes(low)} must stay free`;
}

function whyNothingGoes(limits: SpaceLimits, { keepsAll }: WantedSpace, queue: DiskFullOptions['queue']): string {
  if (limits.low <= limits.reserve)
    return 'Nothing is deleted for that, because min_free_disk is not set: free some space';
  if (keepsAll)
    return 'Nothing is deleted for that, because image_buffer_size is 0 and nothing is copied to a share: free some space, or set one of the two';
  const removable = queue.waiting('ring_buffer');
  if (removable > 0)
    return `${images(removable)} may be deleted, and the ring buffer has not done so yet: does it run?`;
  const reasons = countedStages.flatMap(stage => {
    const count = queue.waiting(stage) + queue.inFlight(stage);
    return count > 0 ? [`${images(count)} ${count === 1 ? 'waits' : 'wait'} ${waitsFor[stage]}`] : [];
  });
  return reasons.length > 0
    ? `Nothing may be deleted: ${reasons.join(', ')}`
    : 'Nothing may be deleted: this experiment has no images here but originals, so something else fills the disk';
}

const images = (count: number): string => `${number(count)} ${count === 1 ? 'image' : 'images'}`;
