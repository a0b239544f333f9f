import type { Pixels } from '../model/frame.ts';
import type { RoiManifest } from '../model/roi.ts';
import { nthSmallest } from './nthSmallest.ts';
import { RoiOutsideFrameError } from './roiOutsideFrameError.ts';
import { sampleRoi } from './sampleRoi.ts';

/** The brightest region of interest of a frame. */
export interface BrightestRoi {
  label: string;
  /** Count that a hundredth of its pixels exceed: the light of the resonance, without hot pixels. */
  level: number;
  /** Share of the pixels of all ROIs at `clip` or above, 0 to 1. */
  saturated: number;
  /** Labels of ROIs that do not lie in the frame. */
  outside: readonly string[];
}

/** Share of a ROI's pixels that are below its level. */
const levelShare = 0.99;

/** Null when no ROI lies in the frame. @param clip count from which on a pixel is saturated */
export function brightestRoi(pixels: Pixels, { rois, imageAngle }: RoiManifest, clip: number): BrightestRoi | null {
  const outside: string[] = [];
  let brightest: { label: string; level: number } | null = null;
  let saturated = 0;
  let count = 0;
  for (const roi of rois) {
    const values = new Float64Array(roi.size[0] * roi.size[1]);
    try {
      sampleRoi(pixels, roi, imageAngle, values);
    } catch (error) {
      if (!(error instanceof RoiOutsideFrameError)) throw error;
      outside.push(roi.label);
      continue;
    }
    count += values.length;
    for (const value of values) if (value >= clip) saturated++;
    const level = nthSmallest(values, 0, values.length, Math.floor(levelShare * (values.length - 1)));
    if (!brightest || level > brightest.level) brightest = { label: roi.label, level };
  }
  return brightest && { ...brightest, saturated: saturated / count, outside };
}
