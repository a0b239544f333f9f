import { trackedFrame } from '../quantities/trackedFrame.ts';
import type { ChosenFrames } from '../series/chosenFrames.ts';

/** The mean shift of each ROI in some images, px, without values that are flagged; a ROI without any is missing. @throws the file system's errors */
export async function readZeros(frames: ChosenFrames): Promise<Map<string, number>> {
  const sums = new Map<string, { sum: number; count: number }>();
  for await (const { row, ...header } of frames.read()) {
    const { labels, shifts, kindOf } = trackedFrame(row, header, '');
    for (const [i, label] of labels.entries()) {
      if (kindOf(i) !== 'good' || Number.isNaN(shifts[i])) continue;
      const { sum, count } = sums.get(label) ?? { sum: 0, count: 0 };
      sums.set(label, { sum: sum + shifts[i]!, count: count + 1 });
    }
  }
  return new Map([...sums].map(([label, { sum, count }]) => [label, sum / count]));
}
