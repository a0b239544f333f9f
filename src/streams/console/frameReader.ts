import { cropPixels, type ReducedFrame, reduceFrame, shownHistogram } from '../../image/reducedFrame.ts';
import { saturatedRois } from '../../image/saturatedRois.ts';
import type { Pixels } from '../../model/frame.ts';
import type { FrameRegion, SaturatedRoi } from '../../model/framePicture.ts';
import type { RoiManifest } from '../../model/roi.ts';

/** The part that is kept at full detail is at most so wide and high, pixels. */
export const longestDetail = 1536;
/** What was read of one frame. */
export interface ReadFrame {
  whole: ReducedFrame;
  /** Null without ROIs. */
  saturatedRois: readonly SaturatedRoi[] | null;
  /** What was asked for of it, at more pixels; null where nothing was. */
  detail: Detail | null;
}

/** A part of a frame, in whole pixels. */
export interface Detail {
  area: FrameRegion;
  frame: ReducedFrame;
}

export interface WantedOfFrame {
  /** As they are when the frame was decoded. */
  rois: () => RoiManifest | null;
  /** The part of a frame of this size that is wanted at more pixels; null: none. */
  detailOf: (frame: { frameWidth: number; frameHeight: number }) => FrameRegion | null;
}

/** Decodes a frame, and keeps of it what its pictures need. @throws the signal's reason */
export type FrameReader = (path: string, signal: AbortSignal, wanted: WantedOfFrame) => Promise<ReadFrame>;

/** @param loadDecoder loads what decodes images */
export async function loadFrameReader(
  loadDecoder: () => Promise<(path: string) => Promise<Pixels>>,
): Promise<FrameReader> {
  const decode = await loadDecoder();
  return async (path, signal, wanted) => {
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
