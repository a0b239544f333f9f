import { RoiOutsideFrameError } from '../analysis/roiOutsideFrameError.ts';
import { isInside, roiWalk } from '../analysis/roiWalk.ts';
import { sampleRoi } from '../analysis/sampleRoi.ts';
import type { Pixels } from '../model/frame.ts';
import type { Roi, RoiManifest } from '../model/roi.ts';
import { shrink } from './shrink.ts';

/** Where the regions of a manifest lie in an image. */
export interface RoiSurvey {
  readonly onLight: readonly Roi[];
  /** Of which a part lies outside of the image, or in a corner that is black after the turn. */
  readonly outside: readonly Roi[];
  /** As dark as what is beside the chip. */
  readonly onNothing: readonly Roi[];
}

/** Less light than so much of the other regions', or of the brightest in the image, is none. */
const partOfOthers = 0.25;
const partOfBrightest = 0.05;

/** Says of each region whether it lies on light. */
export function surveyRois(pixels: Pixels, { rois, imageAngle }: RoiManifest): RoiSurvey {
  const means = rois.map(roi => meanOf(pixels, roi, imageAngle));
  const { dark, bright } = shrink(pixels);
  const lights = means.filter(mean => mean !== null).map(mean => mean - dark);
  const median = lights.toSorted((a, b) => a - b)[Math.floor(lights.length / 2)] ?? 0;
  const least = dark + Math.max(partOfOthers * median, partOfBrightest * (bright - dark));
  const where = (test: (mean: number | null) => boolean): Roi[] => rois.filter((_, i) => test(means[i]));
  return {
    onLight: where(mean => mean !== null && mean > least),
    outside: where(mean => mean === null),
    onNothing: where(mean => mean !== null && mean <= least),
  };
}

/** Null when it is not wholly in the image. */
function meanOf(pixels: Pixels, roi: Roi, angle: number): number | null {
  const [rows, cols] = roi.size;
  try {
    const { startX, startY, stepX, stepY } = roiWalk(pixels, roi, angle);
    const isIn = [0, rows - 1].every(row => {
      const [x, y] = [startX(row), startY(row)];
      const [endX, endY] = [x + stepX * (cols - 1), y + stepY * (cols - 1)];
      // A turn by 0 goes to the last row and column, which have no neighbour.
      return angle === 0 || isInside(pixels, x, y, endX, endY);
    });
    if (!isIn) return null;
    const values = new Float64Array(rows * cols);
    sampleRoi(pixels, roi, angle, values);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  } catch (error) {
    if (error instanceof RoiOutsideFrameError) return null;
    throw error;
  }
}
