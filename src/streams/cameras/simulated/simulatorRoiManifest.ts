import type { ChipLayout } from './chipLayout.ts';

/** The `ROI_manifest.json` (FORMATS.md) that belongs to the frames of a layout, as text. */
export function simulatorRoiManifest(layout: ChipLayout): string {
  const manifest: Record<string, unknown> = {};
  for (const { label, flip, coords, size } of layout.rois) manifest[`ROI_${label}`] = { label, flip, coords, size };
  manifest.image_angle = layout.imageAngle;
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
