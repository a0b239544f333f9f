import { onFrame, type Point, toDerotated } from '../analysis/chipPose.ts';
import { counted } from '../model/quantity.ts';
import type { Calibration, LocatedLabel } from './locateChip.ts';
import { middleOf } from './matchLabel.ts';
import { type ReferenceImage, round } from './roiManifestText.ts';

/** Labels that somebody would ask after: given ones, and those that were found. */
export const toldLabels = ({ labels }: Calibration): LocatedLabel[] =>
  labels.filter(({ click, centre }) => click !== null || centre !== null);

/** What a calibration has found and how sure that is, a line each. */
export function calibrationLines(calibration: Calibration, reference: ReferenceImage): string[] {
  const { chip, pose, outlines, rois } = calibration;
  const { width, height } = reference.size;
  const told = toldLabels(calibration);
  const found = told.filter(({ centre }) => centre !== null);
  const gratings = rois.length / 2;
  const isSeen = outlines.seen.length >= outlines.expected / 2;
  return [
    `image     ${reference.file}, ${width} × ${height} pixels`,
    `chip      ${chip.type}, ${pose.angle.toFixed(4)}° and ${pose.scale.toFixed(5)} pixels a unit`,
    `labels    ${found.length} found, ${rms(found.map(({ residual }) => residual ?? 0)).toFixed(2)} px from their places`,
    ...told.map(label => `          ${labelLine(label)}`),
    `outlines  ${outlines.seen.length} of ${counted(outlines.expected, 'side')} of gratings seen, ${outlines.residual.toFixed(2)} px from their places`,
    ...(isSeen ? [] : ['          so few that the labels alone were used']),
    `regions   ${rois.length}, of ${gratings} of ${counted(chip.gratings.length, 'grating')}: those that lie wholly in the image`,
  ];
}

function labelLine({ label, quality, residual, remark }: LocatedLabel): string {
  const off = residual === null ? '' : `, ${residual.toFixed(2)} px off`;
  return `${label.padEnd(12)} likeness ${quality.toFixed(2)}${off}${remark === null ? '' : `; ${remark}`}`;
}

const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length));

/** `CalculatedImageFeatures.json`: what the Python system writes, where it says the same, and how sure it is. */
export function calculatedFeatures(calibration: Calibration, reference: ReferenceImage): string {
  const { chip, pose, outlines } = calibration;
  const features = toldLabels(calibration).map(({ label, click, centre, quality, residual, remark }) => {
    const rectangle = chip.labels.find(one => one.label === label)!;
    const corner = centre === null ? null : cornerOf(centre, rectangle, calibration, reference);
    return {
      label,
      user_location: click?.map(value => round(value, 2)) ?? null,
      chip_location: [rectangle.left, rectangle.top],
      refined_location: corner?.map(value => round(value, 3)) ?? null,
      match_quality: round(quality, 4),
      label_locating_success: centre !== null,
      residual_pixels: residual === null ? null : round(residual, 3),
      remark,
    };
  });
  const report = {
    chip_type: chip.type,
    features,
    rotation_angle: round(pose.angle, 6),
    scale_factor: round(pose.scale, 8),
    offset: pose.offset.map(value => round(value, 4)),
    outlines: {
      expected: outlines.expected,
      seen: outlines.seen.length,
      residual_pixels: round(outlines.residual, 3),
    },
    image_size: [reference.size.width, reference.size.height],
    reference_image: reference.file,
    reference_hash: reference.hash,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** Upper left corner of a label that was found, in the derotated frame. */
function cornerOf(
  centre: Point,
  rectangle: Parameters<typeof middleOf>[0],
  { pose }: Calibration,
  { size }: ReferenceImage,
): Point {
  const [x, y] = toDerotated(centre, pose.angle, size);
  const [mx, my] = onFrame(middleOf(rectangle), pose);
  const [cx, cy] = onFrame([rectangle.left, rectangle.top], pose);
  return [x + cx - mx, y + cy - my];
}
