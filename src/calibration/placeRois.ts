import { type ChipPose, type ImageSize, onFrame, toImage } from '../analysis/chipPose.ts';
import type { ChipRectangle, Roi } from '../model/roi.ts';
import type { Chip } from './chipMap.ts';

/**
 * The regions of interest of all gratings that lie wholly in the image: two for each, of one size for all gratings of one size. Those
 * of `IMECII_2` are the halves above each other, `_N` the lower one, mirrored, and `_S`; of other chips those side by side, `_A`
 * mirrored and `_B`.
 *
 * Coordinates are rounded to whole pixels of the derotated frame, so that each is at most half a pixel from where it belongs.
 */
export function placeRois(chip: Chip, pose: ChipPose, size: ImageSize): Roi[] {
  const areStacked = chip.halves === 'stacked';
  return chip.gratings
    .filter(grating => isWhollyInside(grating, pose, size))
    .flatMap(grating => {
      const [x, y] = onFrame([grating.left + grating.width / 2, grating.top + grating.height / 2], pose);
      const width = grating.width * pose.scale;
      const height = grating.height * pose.scale;
      const rows = Math.floor(areStacked ? height / 2 : height);
      const columns = Math.floor(areStacked ? width : width / 2);
      const left = Math.round(areStacked ? x - columns / 2 : x - columns);
      const top = Math.round(areStacked ? y - rows : y - rows / 2);
      const roi = (part: string, flip: boolean, row: number, column: number): Roi => ({
        label: `${grating.label}_${part}`,
        flip,
        coords: [row, column],
        size: [rows, columns],
      });
      return areStacked
        ? [roi('N', true, top + rows, left), roi('S', false, top, left)]
        : [roi('A', true, top, left), roi('B', false, top, left + columns)];
    });
}

/** In the derotated frame, and in the image from which that is made: elsewhere it is black. */
export function isWhollyInside({ left, top, width, height }: ChipRectangle, pose: ChipPose, size: ImageSize): boolean {
  const isIn = (x: number, y: number, from: number): boolean =>
    x >= from && y >= from && x <= size.width + from && y <= size.height + from;
  const corners = [
    [left, top],
    [left + width, top],
    [left, top + height],
    [left + width, top + height],
  ] as const;
  return corners.every(corner => {
    const [x, y] = onFrame(corner, pose);
    return isIn(x, y, 0) && isIn(...toImage([x, y], pose.angle, size), -0.5);
  });
}
