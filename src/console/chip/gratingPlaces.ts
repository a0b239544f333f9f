import type { ChipArea, ChipDesign, Roi, RoiManifest } from '../../model/roi.ts';

/** A grating of the chip where it lies in the derotated frame, or beyond its edge; pixels. */
export interface GratingPlace extends Pick<Roi, 'coords' | 'size'> {
  /** Empty where the chip map does not say it. */
  name: string;
  /** The middle of a ROI lies in the grating. */
  hasRoi: boolean;
}

/**
 * The gratings of the chip that a ROI manifest was made for: those of the chip map, else those that the manifest itself has. None where it does not
 * say how the chip lies.
 */
export function gratingPlaces({ rois, madeFor }: RoiManifest, chips: readonly ChipDesign[]): GratingPlace[] {
  if (!madeFor) return [];
  const { chipType, scale, offset } = madeFor;
  const gratings: readonly (ChipArea & { label?: string })[] =
    chips.find(({ type }) => type === chipType)?.gratings ?? madeFor.gratings;
  const middles = rois.map(({ coords, size }) => [coords[0] + size[0] / 2, coords[1] + size[1] / 2] as const);
  return gratings.map(({ left, top, width, height, label = '' }) => {
    const [row, column] = [top * scale + offset[1], left * scale + offset[0]];
    const [rows, columns] = [height * scale, width * scale];
    const hasRoi = middles.some(([y, x]) => y >= row && y <= row + rows && x >= column && x <= column + columns);
    return { name: label, coords: [row, column], size: [rows, columns], hasRoi };
  });
}
