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
import { drawFrame, type ReducedFrame, reduceFrame } from '../../image/reducedFrame.ts';
import { type Clock, systemClock } from '../../model/clock.ts';
import type { Pixels } from '../../model/frame.ts';
import type { FramePicture } from '../../model/framePicture.ts';
import { parseIso } from '../../model/localTime.ts';
import type { RoiManifest } from '../../model/roi.ts';
import type { LastImage } from '../../model/status.ts';
import { fromAbortable } from '../../rx/fromAbortable.ts';

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
  readonly loadReader: () => Promise<(path: string, signal: AbortSignal) => Promise<ReducedFrame>>;
  readonly scheduler?: SchedulerLike;
}

type Size = { width: number; height: number } | null;

/** Whether there is a newer image is asked this often, ms. */
const pollEveryMs = 1_000;
/** After a frame was read, so many times as long as that took passes before the next: a hundredth of a core. */
const restRatio = 100;

/**
 * The newest image as a small picture, no larger than the size asked for, its aspect ratio kept.
 *
 * Cold. While the size is null nothing is read. Emits null while there is no image, then a picture whenever the image, the size
 * or the ROIs are others; another size is drawn from what was read. Always the newest image is read, at most once a second and
 * for at most a hundredth of the time. One that can't be read (it has moved, or is being written) is passed over until it is
 * another. Never completes, never errors. Teardown discards the frame that is being read.
 */
export function lastFrame$(
  { lastImage, dataFolder, rois$, loadDecoder, onError, findImage: given }: LastFrameOptions,
  size$: Observable<Size>,
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
    let shown: Shown | null | undefined;
    let rois: RoiManifest | null = null;
    /** What was read last, well or not. */
    let tried = '';
    let notBefore = Number.NEGATIVE_INFINITY;
    /** It was told that frames can't be read: each next one would be a message of its own. */
    let isReported = false;

    /** The reading under way, which goes on for a while after it was given up: two at a time would cost twice. */
    let busy: Promise<unknown> = Promise.resolve();

    /** Takes a new frame over, where there is one. Resolves in any case. */
    const look = async (signal: AbortSignal): Promise<Shown | null | undefined> => {
      try {
        if (signal.aborted || clock.monotonic() < notBefore) return shown;
        const image = lastImage();
        if (!image) return (shown = null);
        const file = await find(image);
        const stat = await files.stat(file);
        const key = `${file} ${stat?.size} ${stat?.mtimeMs}`;
        if (!stat || key === tried || signal.aborted) return shown;
        const readFrame = await loadReader();
        if (signal.aborted) return shown;
        tried = key;
        const began = clock.monotonic();
        try {
          const frame = await readFrame(file, signal);
          if (!signal.aborted) shown = { file, at: parseIso(image.taken), frame };
        } finally {
          // One that was given up is to be read when somebody looks again.
          if (signal.aborted) tried = '';
          notBefore = clock.monotonic() + Math.max(pollEveryMs, restRatio * (clock.monotonic() - began));
        }
        isReported = false;
      } catch (error) {
        if (signal.aborted) return shown;
        if (!isReported) onError(error as Error);
        isReported = true;
      }
      return shown;
    };

    const frames$ = defer(() => timer(Math.max(0, Math.ceil(notBefore - clock.monotonic())), scheduler)).pipe(
      switchMap(() =>
        fromAbortable(signal => {
          const looked = busy.then(() => look(signal));
          busy = looked;
          return looked;
        }),
      ),
      repeat({ delay: () => timer(pollEveryMs, scheduler) }),
    );
    const wanted$ = defer(() =>
      combineLatest([
        frames$.pipe(startWith(shown)),
        rois$.pipe(
          startWith(rois),
          tap(found => {
            rois = found;
          }),
        ),
      ]),
    );
    return size$.pipe(
      connect(sizes$ =>
        combineLatest([
          sizes$,
          sizes$.pipe(
            map(size => size !== null),
            distinctUntilChanged(),
            switchMap(wanted => (wanted ? wanted$ : NEVER)),
          ),
        ]),
      ),
      filter(([size, [frame]]) => size !== null && frame !== undefined),
      map(([size, [frame, found]]) => ({ size: size!, frame: frame!, found })),
      distinctUntilChanged(
        (a, b) =>
          a.frame === b.frame &&
          (a.frame === null ||
            (a.found === b.found && a.size.width === b.size.width && a.size.height === b.size.height)),
      ),
      map(({ size, frame, found }) => frame && pictureOf(frame, size, found)),
    );
  });
}

async function loadFrameReader(
  loadDecoder: LastFrameOptions['loadDecoder'],
): Promise<(path: string, signal: AbortSignal) => Promise<ReducedFrame>> {
  const decode = await loadDecoder();
  return async (path, signal) => {
    const pixels = await decode(path);
    signal.throwIfAborted();
    return reduceFrame(pixels, signal);
  };
}

interface Shown {
  file: string;
  at: number;
  frame: ReducedFrame;
}

function pictureOf({ file, at, frame }: Shown, size: { width: number; height: number }, rois: RoiManifest | null) {
  const { frameWidth, frameHeight, depth, brightness, contrast, saturated } = frame;
  return { file, at, frameWidth, frameHeight, depth, brightness, contrast, saturated, ...drawFrame(frame, size), rois };
}
