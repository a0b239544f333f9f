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
import {
  cropPixels,
  drawFrame,
  longestSide,
  type ReducedFrame,
  reduceFrame,
  shownHistogram,
} from '../../image/reducedFrame.ts';
import { saturatedRois } from '../../image/saturatedRois.ts';
import { capturedTime, isCapturedName } from '../../manifest/orphanEntry.ts';
import { type Clock, systemClock } from '../../model/clock.ts';
import { plainName } from '../../model/compression.ts';
import type { Pixels } from '../../model/frame.ts';
import type {
  FrameHistogram,
  FramePicture,
  FrameRegion,
  HeldFrame,
  PictureRequest,
  RecentPlace,
  SaturatedRoi,
} from '../../model/framePicture.ts';
import { regionOf } from '../../model/frameRegion.ts';
import { parseIso } from '../../model/localTime.ts';
import type { RoiManifest } from '../../model/roi.ts';
import type { LastImage } from '../../model/status.ts';
import { fromAbortable } from '../../rx/fromAbortable.ts';
import { RecentFrames } from './recentFrames.ts';

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

/** What was read of one frame. */
export interface ReadFrame {
  whole: ReducedFrame;
  /** Null without ROIs. */
  saturatedRois: readonly SaturatedRoi[] | null;
  /** What was asked for of it, at more pixels; null where nothing was. */
  detail: Detail | null;
}

/** A part of a frame, in whole pixels. */
interface Detail {
  area: FrameRegion;
  frame: ReducedFrame;
}

export interface WantedOfFrame {
  /** As they are when the frame was decoded. */
  rois: () => RoiManifest | null;
  /** The part of a frame of this size that is wanted at more pixels; null: none. */
  detailOf: (frame: { frameWidth: number; frameHeight: number }) => FrameRegion | null;
}

export interface LastFrameDeps {
  readonly files: Files;
  readonly clock: Clock;
  readonly loadReader: () => Promise<(path: string, signal: AbortSignal, wanted: WantedOfFrame) => Promise<ReadFrame>>;
  readonly scheduler?: SchedulerLike;
}

/** Whether there is a newer image is asked this often, ms. */
const pollEveryMs = 1_000;
/**
 * After a frame was read, so many times as long as that took passes before the next: a hundredth of a core beside other panels, and no more than
 * a tenth of one where frames are what somebody looks at.
 */
const restRatios = { beside: 100, alone: 10 };
/** So many times the part that is seen is kept at full detail, so that it can be moved a little. */
const detailMargin = 1.3;
/** The part that is kept at full detail is at most so wide and high, pixels. */
const longestDetail = 1536;
/** The times of so many of the last images are known from the status. */
const knownTimes = 1_000;

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
    let shown: Shown | null | undefined;
    let rois: RoiManifest | null = null;
    let request: PictureRequest | null = null;
    /** What was read last, well or not. */
    let tried = '';
    let lastRead = { ended: Number.NEGATIVE_INFINITY, tookMs: 0 };
    const restMs = (): number => {
      const ratio = request?.zoom === undefined ? restRatios.beside : restRatios.alone;
      return Math.ceil(lastRead.ended + Math.max(pollEveryMs, ratio * lastRead.tookMs) - clock.monotonic());
    };
    /** It was told that frames can't be read: each next one would be a message of its own. */
    let isReported = false;
    const recent = new RecentFrames(files, clock);
    const times = new Map<string, number>();
    let heldTarget: { held: HeldFrame; target: Target | null } | null = null;

    /** The reading under way, which goes on for a while after it was given up: two at a time would cost twice. */
    let busy: Promise<unknown> = Promise.resolve();

    /** The frame that is meant now; null: there is none. */
    const target = async (): Promise<Target | null> => {
      const held = request?.held;
      if (held) {
        // It is looked for once.
        if (heldTarget?.held === held) return heldTarget.target;
        const found = await recent.find(held);
        const target = found && { file: found.file, at: timeOf(found.file, times), place: found.place };
        heldTarget = { held, target };
        return target;
      }
      const image = lastImage();
      if (!image) return null;
      const file = await find(image);
      const at = parseIso(image.taken);
      remember(times, plainName(file), at);
      return { file, at, place: null };
    };

    /** What is shown does not have what somebody wants to see of it, pixels or figures of its ROIs. */
    const lacks = (of: Shown): boolean => lacksDetail(of, request) || (of.readWith === null && rois !== null);
    const isAskedFor = (): boolean => Boolean(request?.held) || (shown ? shown.place !== null || lacks(shown) : false);

    /** Takes a frame over, where there is a new one or somebody asked for it. Resolves in any case. */
    const look = async (signal: AbortSignal): Promise<Shown | null | undefined> => {
      try {
        if (signal.aborted || (!isAskedFor() && restMs() > 0)) return shown;
        const meant = await target();
        if (signal.aborted) return shown;
        if (!meant) return (shown = null);
        const { file, at, place } = meant;
        const stat = await files.stat(file);
        const key = `${file} ${stat?.size} ${stat?.mtimeMs}`;
        if (!stat || signal.aborted) return shown;
        if (key === tried && !(shown?.file === file && lacks(shown))) {
          if (shown?.file === file && !isSamePlace(shown.place, place)) shown = { ...shown, place };
          return shown;
        }
        const readFrame = await loadReader();
        if (signal.aborted) return shown;
        tried = key;
        const began = clock.monotonic();
        try {
          const detailOf = (frame: FrameSize): FrameRegion | null => detailArea(frame, request);
          const read = await readFrame(file, signal, { rois: () => rois, detailOf });
          const histogram = shownHistogram(read.whole.histogram);
          if (!signal.aborted) shown = { file, at, place, histogram, readWith: rois, ...read };
        } finally {
          // One that was given up is to be read when somebody looks again.
          if (signal.aborted) tried = '';
          const ended = clock.monotonic();
          lastRead = { ended, tookMs: ended - began };
        }
        isReported = false;
      } catch (error) {
        if (signal.aborted) return shown;
        if (!isReported) onError(error as Error);
        isReported = true;
      }
      return shown;
    };

    const frames$ = defer(() => timer(isAskedFor() ? 0 : Math.max(0, restMs()), scheduler)).pipe(
      switchMap(() =>
        fromAbortable(signal => {
          const looked = busy.then(() => look(signal));
          busy = looked;
          return looked;
        }),
      ),
      repeat({ delay: () => timer(pollEveryMs, scheduler) }),
    );
    /** Frames, from anew whenever another one, or another part of it, is asked for. */
    const asked$ = (wanted$: Observable<PictureRequest | null>): Observable<Shown | null | undefined> =>
      wanted$.pipe(
        map(wanted => JSON.stringify(wanted && [wanted.held ?? null, wanted.zoom, wanted.centre])),
        distinctUntilChanged(),
        switchMap(() => frames$),
        startWith(shown),
      );
    return requests$.pipe(
      tap(next => {
        request = next;
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
                      startWith(rois),
                      tap(found => {
                        rois = found;
                      }),
                    ),
                    asked$(all$.pipe(startWith(request))),
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

async function loadFrameReader(loadDecoder: LastFrameOptions['loadDecoder']) {
  const decode = await loadDecoder();
  return async (path: string, signal: AbortSignal, wanted: WantedOfFrame): Promise<ReadFrame> => {
    const pixels = await decode(path);
    signal.throwIfAborted();
    const whole = await reduceFrame(pixels, signal);
    const { saturation } = shownHistogram(whole.histogram);
    const rois = wanted.rois();
    const full = rois && (saturation === null ? [] : await saturatedRois(pixels, rois, saturation, signal));
    const area = wanted.detailOf(whole);
    const detail = area && { area, frame: await reduceFrame(cropPixels(pixels, area), signal, longestDetail) };
    return { whole, saturatedRois: full, detail };
  };
}

type FrameSize = Pick<ReducedFrame, 'frameWidth' | 'frameHeight'>;

interface Target {
  file: string;
  at: number;
  place: RecentPlace | null;
}

interface Shown extends Target, ReadFrame {
  /** The ROIs that were known when it was read. */
  readWith: RoiManifest | null;
  histogram: FrameHistogram;
}

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

/** Whether the part that is wanted needs more pixels than are there. */
function lacksDetail({ whole, detail }: Pick<Shown, 'whole' | 'detail'>, request: PictureRequest | null): boolean {
  const area = detailArea(whole, request);
  if (area === null) return false;
  if (detail === null || !isInside(regionOf(whole, request!), detail.area)) return true;
  return detail.frame.block > Math.ceil(Math.max(area.width, area.height) / longestDetail);
}

/** The part of a frame to read at more pixels than the reduced frame has; null where that has enough. */
function detailArea({ frameWidth, frameHeight }: FrameSize, request: PictureRequest | null): FrameRegion | null {
  if (request === null || (request.zoom ?? 1) <= 1 || Math.max(frameWidth, frameHeight) <= longestSide) return null;
  const seen = regionOf({ frameWidth, frameHeight }, request);
  const side = (begin: number, length: number, whole: number): [number, number] => {
    const more = ((detailMargin - 1) / 2) * length;
    const from = Math.max(0, Math.floor(begin - more));
    return [from, Math.min(whole, Math.ceil(begin + length + more)) - from];
  };
  const [left, width] = side(seen.left, seen.width, frameWidth);
  const [top, height] = side(seen.top, seen.height, frameHeight);
  return { left, top, width, height };
}

const isInside = (inner: FrameRegion, outer: FrameRegion): boolean =>
  inner.left >= outer.left &&
  inner.top >= outer.top &&
  inner.left + inner.width <= outer.left + outer.width &&
  inner.top + inner.height <= outer.top + outer.height;

function pictureOf(
  { file, at, place, whole, detail, histogram, saturatedRois: full }: Shown,
  request: PictureRequest,
  rois: RoiManifest | null,
): FramePicture {
  const { frameWidth, frameHeight, depth, brightness, contrast, saturated } = whole;
  const region = regionOf(whole, request);
  const near = detail && (request.zoom ?? 1) > 1 && isInside(region, detail.area) ? detail : null;
  const from = near ?? { area: { left: 0, top: 0 }, frame: whole };
  const part = {
    left: (region.left - from.area.left) / from.frame.block,
    top: (region.top - from.area.top) / from.frame.block,
    width: region.width / from.frame.block,
    height: region.height / from.frame.block,
  };
  const { means, ...drawn } = drawFrame(from.frame, request, (request.zoom ?? 1) > 1 ? part : undefined);
  const { saturation } = histogram;
  const atTop = saturation === null ? null : Uint8Array.from(means, mean => (mean >= saturation - 0.5 ? 1 : 0));
  const figures = { frameWidth, frameHeight, depth, brightness, contrast, saturated, histogram };
  const size = { width: request.width, height: request.height };
  return { file, at, ...figures, ...drawn, rois, saturatedRois: full, atTop, region, size, recent: place };
}
