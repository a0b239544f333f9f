import {
  combineLatest,
  connect,
  defer,
  distinctUntilChanged,
  filter,
  map,
  NEVER,
  type Observable,
  repeat,
  type SchedulerLike,
  startWith,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import { type Files, nodeFiles } from '../../files/files.ts';
import { findImage, localFolder } from '../../image/findImage.ts';
import { shownHistogram } from '../../image/reducedFrame.ts';
import { capturedTime, isCapturedName } from '../../manifest/orphanEntry.ts';
import { type Clock, systemClock } from '../../model/clock.ts';
import { plainName } from '../../model/compression.ts';
import type { Pixels } from '../../model/frame.ts';
import type { FramePicture, FrameRegion, HeldFrame, PictureRequest, RecentPlace } from '../../model/framePicture.ts';
import { parseIso } from '../../model/localTime.ts';
import type { RoiManifest } from '../../model/roi.ts';
import type { LastImage } from '../../model/status.ts';
import { fromAbortable } from '../../rx/fromAbortable.ts';
import { type FrameReader, loadFrameReader } from './frameReader.ts';
import { RecentFrames } from './recentFrames.ts';
import { detailArea, type FrameSize, type FrameTarget, lacksDetail, pictureOf, type ShownFrame } from './shownFrame.ts';

export interface LastFrameOptions {
  /** The image that was collected last, as the status names it; null while there is none. */
  readonly lastImage: () => LastImage | null;
  /** `data_dir`, absolute. */
  readonly dataFolder: string;
  /** The ROIs to hand on with the picture. Subscribed to while a picture is wanted. */
  readonly rois$: Observable<RoiManifest | null>;
  /** Loads what decodes images, when the first is wanted: that takes longer than all the rest of the console. */
  readonly loadDecoder: () => Promise<(path: string) => Promise<Pixels>>;
  /** Told why the image can't be read, once until one can be read again; the last picture stays. */
  readonly onError: (error: Error) => void;
  /** Where an image is; by default its recorded place where that lies in the data folder, and no other folder. */
  readonly findImage?: (image: LastImage) => Promise<string>;
}

export interface LastFrameDeps {
  readonly files: Files;
  readonly clock: Clock;
  readonly loadReader: () => Promise<FrameReader>;
  readonly scheduler?: SchedulerLike;
}

/** Whether there is a newer image is asked this often, ms. */
const pollEveryMs = 1_000;
/**
 * After a frame was read, so many times as long as that took passes before the next: a hundredth of a core beside other panels, and no more than
 * a tenth of one where frames are what somebody looks at.
 */
const restRatios = { beside: 100, alone: 10 };
/**
 * The newest image as a picture, or the one that somebody holds, no larger than the size asked for, its aspect ratio kept: the whole of it or
 * a part.
 *
 * Cold. While the request is null nothing is read. Emits null while there is no image, then a picture whenever the image, the request or the
 * ROIs are others; another size is drawn from what was read, and so is another part as far as that has the pixels: then it follows at full
 * detail. Always the newest image is read, at most once a second and for at most a hundredth of the time, or a tenth on a page of its own;
 * what somebody asks for (a frame that is held, a part) is read at once, one at a time, the last that was asked for. One that can't be read
 * (it has moved, or is being written) is passed over until it is another. Never completes, never errors. Teardown discards the frame that is
 * being read.
 */
export function lastFrame$(
  { lastImage, dataFolder, rois$, loadDecoder, onError, findImage: given }: LastFrameOptions,
  requests$: Observable<PictureRequest | null>,
  deps: Partial<LastFrameDeps> = {},
): Observable<FramePicture | null> {
  const { files, clock, scheduler, loadReader }: LastFrameDeps = {
    files: nodeFiles,
    clock: systemClock,
    loadReader: () => loadFrameReader(loadDecoder),
    ...deps,
  };
  const inside = (image: LastImage): LastImage => ({ ...image, filepath: localFolder(image, dataFolder) });
  const find = given ?? (image => findImage(inside(image), dataFolder, files));
  return defer(() => {
    const look = new FrameLook({ lastImage, find, onError, files, clock, loadReader });
    /** The reading under way, which goes on for a while after it was given up: two at a time would cost twice. */
    let busy: Promise<unknown> = Promise.resolve();
    const frames$ = defer(() => timer(look.waitMs(), scheduler)).pipe(
      switchMap(() =>
        fromAbortable(signal => {
          const looked = busy.then(() => look.take(signal));
          busy = looked;
          return looked;
        }),
      ),
      repeat({ delay: () => timer(pollEveryMs, scheduler) }),
    );
    /** Frames, from anew whenever another one, or another part of it, is asked for. */
    const asked$ = (wanted$: Observable<PictureRequest | null>): Observable<ShownFrame | null | undefined> =>
      wanted$.pipe(
        map(wanted => JSON.stringify(wanted && [wanted.held ?? null, wanted.zoom, wanted.centre])),
        distinctUntilChanged(),
        switchMap(() => frames$),
        startWith(look.shown),
      );
    return requests$.pipe(
      tap(next => {
        look.request = next;
      }),
      connect(all$ =>
        combineLatest([
          all$,
          all$.pipe(
            map(wanted => wanted !== null),
            distinctUntilChanged(),
            switchMap(isWanted =>
              isWanted
                ? combineLatest([
                    rois$.pipe(
                      startWith(look.rois),
                      tap(found => {
                        look.rois = found;
                      }),
                    ),
                    asked$(all$.pipe(startWith(look.request))),
                  ])
                : NEVER,
            ),
          ),
        ]),
      ),
      filter(([wanted, [, frame]]) => wanted !== null && frame !== undefined),
      map(([wanted, [found, frame]]) => ({ wanted: wanted!, frame: frame!, found })),
      distinctUntilChanged(
        (a, b) =>
          a.frame === b.frame &&
          (a.frame === null || (a.found === b.found && JSON.stringify(a.wanted) === JSON.stringify(b.wanted))),
      ),
      map(({ wanted, frame, found }) => frame && pictureOf(frame, wanted, found)),
    );
  });
}

interface FrameLookOptions extends Pick<LastFrameOptions, 'lastImage' | 'onError'>, LastFrameDeps {
  readonly find: (image: LastImage) => Promise<string>;
}

/** Looks for the frame that is meant and reads it, where it is another or something is asked for that was not read of it. */
class FrameLook {
  request: PictureRequest | null = null;
  rois: RoiManifest | null = null;
  /** Null: there is none. Undefined: nobody has looked yet. */
  shown: ShownFrame | null | undefined;
  readonly #options: FrameLookOptions;
  readonly #recent: RecentFrames;
  /** When images were taken, as the status said. */
  readonly #times = new Map<string, number>();
  /** What was read last, well or not. */
  #tried = '';
  #lastRead = { ended: Number.NEGATIVE_INFINITY, tookMs: 0 };
  /** It was told that frames can't be read: each next one would be a message of its own. */
  #isReported = false;
  #heldTarget: { held: HeldFrame; target: FrameTarget | null } | null = null;

  constructor(options: FrameLookOptions) {
    this.#options = options;
    this.#recent = new RecentFrames(options.files, options.clock);
  }

  /** How long to rest before the next look, ms. */
  waitMs(): number {
    return this.#isAskedFor() ? 0 : Math.max(0, this.#restMs());
  }

  /** Takes a frame over, where there is a new one or somebody asked for it. Resolves in any case. */
  async take(signal: AbortSignal): Promise<ShownFrame | null | undefined> {
    try {
      if (signal.aborted || (!this.#isAskedFor() && this.#restMs() > 0)) return this.shown;
      const target = await this.#target();
      if (signal.aborted) return this.shown;
      if (target) await this.#read(target, signal);
      else this.shown = null;
    } catch (error) {
      if (signal.aborted) return this.shown;
      if (!this.#isReported) this.#options.onError(error as Error);
      this.#isReported = true;
    }
    return this.shown;
  }

  async #read(target: FrameTarget, signal: AbortSignal): Promise<void> {
    const { files, clock, loadReader } = this.#options;
    const { file, place } = target;
    const stat = await files.stat(file);
    const key = `${file} ${stat?.size} ${stat?.mtimeMs}`;
    if (!stat || signal.aborted) return;
    const shown = this.shown?.file === file ? this.shown : null;
    if (key === this.#tried && !(shown && this.#lacks(shown))) {
      if (shown && !isSamePlace(shown.place, place)) this.shown = { ...shown, place };
      return;
    }
    const readFrame = await loadReader();
    if (signal.aborted) return;
    this.#tried = key;
    const began = clock.monotonic();
    try {
      const detailOf = (frame: FrameSize): FrameRegion | null => detailArea(frame, this.request);
      const read = await readFrame(file, signal, { rois: () => this.rois, detailOf });
      const histogram = shownHistogram(read.whole.histogram);
      if (!signal.aborted) this.shown = { ...target, histogram, readWith: this.rois, ...read };
    } finally {
      // One that was given up is to be read when somebody looks again.
      if (signal.aborted) this.#tried = '';
      const ended = clock.monotonic();
      this.#lastRead = { ended, tookMs: ended - began };
    }
    this.#isReported = false;
  }

  /** The frame that is meant now; null: there is none. */
  async #target(): Promise<FrameTarget | null> {
    const held = this.request?.held;
    if (held) {
      // It is looked for once.
      if (this.#heldTarget?.held === held) return this.#heldTarget.target;
      const found = await this.#recent.find(held);
      const target = found && { file: found.file, at: timeOf(found.file, this.#times), place: found.place };
      this.#heldTarget = { held, target };
      return target;
    }
    const { lastImage, find } = this.#options;
    const image = lastImage();
    if (!image) return null;
    const file = await find(image);
    const at = parseIso(image.taken);
    remember(this.#times, plainName(file), at);
    return { file, at, place: null };
  }

  #isAskedFor(): boolean {
    if (this.request?.held) return true;
    return this.shown ? this.shown.place !== null || this.#lacks(this.shown) : false;
  }

  /** What is shown does not have what somebody wants to see of it, pixels or figures of its ROIs. */
  #lacks(of: ShownFrame): boolean {
    return lacksDetail(of, this.request) || (of.readWith === null && this.rois !== null);
  }

  #restMs(): number {
    const { ended, tookMs } = this.#lastRead;
    const ratio = this.request?.zoom === undefined ? restRatios.beside : restRatios.alone;
    return Math.ceil(ended + Math.max(pollEveryMs, ratio * tookMs) - this.#options.clock.monotonic());
  }
}

/** The times of so many of the last images are known from the status. */
const knownTimes = 1_000;

function remember(times: Map<string, number>, file: string, at: number): void {
  times.set(file, at);
  if (times.size > knownTimes) times.delete(times.keys().next().value as string);
}

/** As the status said of it, else as the collector named it; NaN where nobody knows. */
function timeOf(file: string, times: ReadonlyMap<string, number>): number {
  const plain = plainName(file);
  const name = plain.slice(plain.lastIndexOf('/') + 1);
  return times.get(plain) ?? (isCapturedName(name) ? parseIso(capturedTime(name)) : Number.NaN);
}

const isSamePlace = (a: RecentPlace | null, b: RecentPlace | null): boolean => JSON.stringify(a) === JSON.stringify(b);
