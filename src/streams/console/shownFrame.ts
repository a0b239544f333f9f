import { drawFrame, longestSide, type ReducedFrame } from '../../image/reducedFrame.ts';
import type {
  FrameHistogram,
  FramePicture,
  FrameRegion,
  PictureRequest,
  RecentPlace,
} from '../../model/framePicture.ts';
import { regionOf } from '../../model/frameRegion.ts';
import type { RoiManifest } from '../../model/roi.ts';
import { longestDetail, type ReadFrame } from './frameReader.ts';

/** So many times the part that is seen is kept at full detail, so that it can be moved a little. */
const detailMargin = 1.3;

/** The frame that is meant. */
export interface FrameTarget {
  file: string;
  at: number;
  place: RecentPlace | null;
}

/** The frame that is shown, with what was read of it. */
export interface ShownFrame extends FrameTarget, ReadFrame {
  /** The ROIs that were known when it was read. */
  readWith: RoiManifest | null;
  histogram: FrameHistogram;
}

export type FrameSize = Pick<ReducedFrame, 'frameWidth' | 'frameHeight'>;

/** Whether the part that is wanted needs more pixels than are there. */
export function lacksDetail(
  { whole, detail }: Pick<ShownFrame, 'whole' | 'detail'>,
  request: PictureRequest | null,
): boolean {
  const area = detailArea(whole, request);
  if (area === null) return false;
  if (detail === null || !isInside(regionOf(whole, request!), detail.area)) return true;
  return detail.frame.block > Math.ceil(Math.max(area.width, area.height) / longestDetail);
}

/** The part of a frame to read at more pixels than the reduced frame has; null where that has enough. */
export function detailArea({ frameWidth, frameHeight }: FrameSize, request: PictureRequest | null): FrameRegion | null {
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

/** The part that is asked for, at the size that is asked for. */
export function pictureOf(
  { file, at, place, whole, detail, histogram, saturatedRois: full }: ShownFrame,
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
