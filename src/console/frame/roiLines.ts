import type { FramePicture } from '../../model/framePicture.ts';
import { placeInFrame } from '../../model/frameRegion.ts';
import type { ChipShift } from '../../model/result.ts';
import type { Roi } from '../../model/roi.ts';
import type { RoiHistory, RoiSample } from '../../model/roiHistory.ts';
import type { ConsoleState } from '../consoleState.ts';
import { countingConfig } from '../situation.ts';

/** A place in a picture, pixels from its upper left corner. */
export type Place = readonly [x: number, y: number];

/** How far the ROIs of a picture have followed the chip; null where they stay at the manifest's places. */
export function followedChip(
  picture: FramePicture,
  state: Pick<ConsoleState, 'history' | 'settings' | 'reading' | 'mode'>,
): ChipShift | null {
  const follows = countingConfig(state)?.Data_Analysis.follow_chip ?? false;
  return follows ? (resultOf(picture, state.history)?.sample.chipShift ?? null) : null;
}

/** From the derotated frame, where ROIs are defined, to a picture of the frame as it was taken. */
function placeInPicture(
  { rois, width, height, frameWidth, frameHeight, region }: FramePicture,
  moved: ChipShift | null,
) {
  const { dx, dy, angle } = moved ?? { dx: 0, dy: 0, angle: 0 };
  const place = placeInFrame((rois?.imageAngle ?? 0) + angle, frameWidth, frameHeight);
  return (x: number, y: number): Place => {
    const [across, down] = place(x, y);
    return [((across + dx - region.left) * width) / region.width, ((down + dy - region.top) * height) / region.height];
  };
}

export interface RoiOutline {
  label: string;
  /** Clockwise, from its upper left one. */
  corners: readonly [Place, Place, Place, Place];
}

/** The outlines of the ROIs in a picture, as far as any of it is seen. @param moved as {@link followedChip} says */
export function roiOutlines(picture: FramePicture, moved: ChipShift | null): RoiOutline[] {
  const place = placeInPicture(picture, moved);
  return (picture.rois?.rois ?? []).flatMap(({ label, coords: [top, left], size: [rows, columns] }) => {
    const corners = [
      place(left, top),
      place(left + columns, top),
      place(left + columns, top + rows),
      place(left, top + rows),
    ] as const;
    return isSeen(corners, picture) ? [{ label, corners }] : [];
  });
}

/** The fitted resonances in a picture: a line along each ROI that has one, by its label. @param moved as {@link followedChip} says */
export function fittedLines(
  picture: FramePicture,
  { labels }: RoiHistory,
  sample: RoiSample,
  moved: ChipShift | null,
): Map<string, [Place, Place]> {
  const place = placeInPicture(picture, moved);
  const positions = new Map(labels.map((label, i) => [label, sample.positions[i] ?? Number.NaN]));
  const lines = new Map<string, [Place, Place]>();
  for (const roi of picture.rois?.rois ?? []) {
    const x = columnOf(roi, positions.get(roi.label) ?? Number.NaN);
    if (Number.isNaN(x)) continue;
    const line: [Place, Place] = [place(x, roi.coords[0]), place(x, roi.coords[0] + roi.size[0])];
    if (isSeen(line, picture)) lines.set(roi.label, line);
  }
  return lines;
}

/** The column of the derotated frame at which a position lies: it counts from the middle of the first pixel, after the flip. */
const columnOf = ({ flip, coords: [, left], size: [, columns] }: Roi, position: number): number =>
  left + (flip ? columns - 0.5 - position : position + 0.5);

/** An image's time is known to the microsecond, in ms. */
const sameMs = 1.5;

/** The result of the frame that is shown, or the newest before it; null where there is none. */
export function resultOf(
  { at }: Pick<FramePicture, 'at'>,
  history: RoiHistory | null,
): { sample: RoiSample; isOfFrame: boolean } | null {
  const samples = history?.samples ?? [];
  let i = samples.length - 1;
  while (i >= 0 && samples[i]!.at > at + sameMs) i--;
  const sample = samples[i];
  return sample ? { sample, isOfFrame: sample.frames === 1 && Math.abs(sample.at - at) < sameMs } : null;
}

function isSeen(places: readonly Place[], { width, height }: { width: number; height: number }): boolean {
  const xs = places.map(([x]) => x);
  const ys = places.map(([, y]) => y);
  return Math.max(...xs) >= 0 && Math.min(...xs) <= width && Math.max(...ys) >= 0 && Math.min(...ys) <= height;
}
