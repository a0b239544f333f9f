import type { Pixels } from '../model/frame.ts';
import type { SaturatedRoi } from '../model/framePicture.ts';
import { placeInFrame } from '../model/frameRegion.ts';
import type { RoiManifest } from '../model/roi.ts';

/** Of a ROI at most so many pixels are looked at, evenly spread. */
const lookedAt = 1 << 14;
/** ROIs that are taken in at one go. */
const roisPerTurn = 64;

/** The ROIs that have pixels at a count or above, the worst first. @throws the signal's reason when it is aborted */
export async function saturatedRois(
  { width, height, data }: Pixels,
  { rois, imageAngle }: RoiManifest,
  level: number,
  signal: AbortSignal,
): Promise<SaturatedRoi[]> {
  const place = placeInFrame(imageAngle, width, height);
  const found: SaturatedRoi[] = [];
  for (const [i, { label, coords, size }] of rois.entries()) {
    if (i % roisPerTurn === roisPerTurn - 1) {
      await new Promise(resolve => setImmediate(resolve));
      signal.throwIfAborted();
    }
    const step = Math.max(1, Math.sqrt((size[0] * size[1]) / lookedAt));
    let [seen, full] = [0, 0];
    for (let row = 0.5; row < size[0]; row += step) {
      for (let column = 0.5; column < size[1]; column += step) {
        const [x, y] = place(coords[1] + column, coords[0] + row);
        if (x < 0 || y < 0 || x >= width || y >= height) continue;
        seen++;
        if (data[Math.floor(y) * width + Math.floor(x)]! >= level) full++;
      }
    }
    if (full > 0) found.push({ label, share: full / seen });
  }
  return found.sort((a, b) => b.share - a.share);
}
