import { medianOf } from '../../model/median.ts';
import type { RoiHistory } from '../../model/roiHistory.ts';
import { firstSince, isShifted, medianReading, roiReading } from './chartData.ts';
import type { ChartZero } from './chartState.ts';

/** So many samples up to a moment tell what is zero there: one bad fit must not move all. */
const samplesOfZero = 5;

/** What all ROIs were at a moment, to count shifts from; null where there is no sample until then. */
export function zeroAt(history: RoiHistory, at: number): ChartZero | null {
  const to = firstSince(history.samples, at + 1);
  const samples = history.samples.slice(Math.max(0, to - samplesOfZero), to);
  if (samples.length === 0) return null;
  const values = Float64Array.from(history.labels, (_, roi) => {
    const read = roiReading(history, roi, isShifted(history, roi), 0);
    return medianOf(samples.map(sample => read(sample).median));
  });
  const anyShift = history.labels.some((_, roi) => isShifted(history, roi));
  const readMedian = medianReading(history, anyShift, 0);
  return { at, labels: history.labels, values, median: medianOf(samples.map(sample => readMedian(sample).median)) };
}
