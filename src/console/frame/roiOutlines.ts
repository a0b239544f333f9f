import type { FramePicture } from '../../model/framePicture.ts';
import type { Roi } from '../../model/roi.ts';

/** Below so many pixels of the picture an outline would hide what it surrounds: its middle is marked instead. */
const smallestOutline = 4;

/** Pixels of the small picture (row × width + column) that the ROIs' outlines pass through. */
export function roiPixels({ rois, width, height, frameWidth, frameHeight }: FramePicture): Set<number> {
  const marked = new Set<number>();
  if (!rois) return marked;
  const turned = (rois.imageAngle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turned), Math.sin(turned)];
  const [centreX, centreY] = [Math.floor(frameWidth / 2), Math.floor(frameHeight / 2)];
  const [scaleX, scaleY] = [width / frameWidth, height / frameHeight];
  /** From the derotated frame, where ROIs are defined, to the picture of the frame as it was taken. */
  const place = (x: number, y: number): [number, number] => {
    const [dx, dy] = [x - centreX, y - centreY];
    return [(cos * dx + sin * dy + centreX) * scaleX, (-sin * dx + cos * dy + centreY) * scaleY];
  };
  const mark = ([x, y]: readonly [number, number]): void => {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (column >= 0 && column < width && row >= 0 && row < height) marked.add(row * width + column);
  };
  for (const { coords, size } of rois.rois) outline({ coords, size }, [scaleX, scaleY], place, mark);
  return marked;
}

function outline(
  { coords: [top, left], size: [rows, columns] }: Pick<Roi, 'coords' | 'size'>,
  [scaleX, scaleY]: readonly [number, number],
  place: (x: number, y: number) => [number, number],
  mark: (at: readonly [number, number]) => void,
): void {
  if (columns * scaleX < smallestOutline || rows * scaleY < smallestOutline) {
    mark(place(left + columns / 2, top + rows / 2));
    return;
  }
  const corners = [
    place(left, top),
    place(left + columns, top),
    place(left + columns, top + rows),
    place(left, top + rows),
  ] as const;
  for (const [i, from] of corners.entries()) {
    const to = corners[(i + 1) % corners.length] as [number, number];
    const steps = Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]), 1));
    for (let k = 0; k <= steps; k++)
      mark([from[0] + ((to[0] - from[0]) * k) / steps, from[1] + ((to[1] - from[1]) * k) / steps]);
  }
}
