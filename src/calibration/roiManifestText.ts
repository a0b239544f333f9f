import type { ImageSize } from '../analysis/chipPose.ts';
import type { Calibration } from './locateChip.ts';
import { isWhollyInside } from './placeRois.ts';

/** Which image a calibration was made from. */
export interface ReferenceImage {
  readonly file: string;
  /** Hash of the file. */
  readonly hash: string;
  readonly size: ImageSize;
}

/**
 * A `ROI_manifest.json` as text. Its key `calibration` says what it was made for and how the chip lies; the Python system passes it over.
 */
export function roiManifestText({ chip, pose, rois }: Calibration, reference: ReferenceImage): string {
  const entries = rois.map(({ label, flip, coords, size }) => [`ROI_${label}`, { label, flip, coords, size }]);
  const calibration = {
    image_size: [reference.size.width, reference.size.height],
    chip_type: chip.type,
    scale: round(pose.scale, 8),
    offset: pose.offset.map(value => round(value, 4)),
    gratings: chip.gratings
      .filter(grating => isWhollyInside(grating, pose, reference.size))
      .map(({ left, top, width, height }) => [left, top, width, height]),
    reference_image: reference.file,
    reference_hash: reference.hash,
  };
  const manifest = { ...Object.fromEntries(entries), image_angle: round(pose.angle, 6), calibration };
  // A grating a line: people read it too.
  const text = JSON.stringify(manifest, null, 2);
  return `${text.replace(/\[\s+([-\d.e, \n]+?)\s+\]/g, (_, numbers: string) => `[${numbers.replace(/\s+/g, ' ')}]`)}\n`;
}

export const round = (value: number, digits: number): number => Number(value.toFixed(digits));
