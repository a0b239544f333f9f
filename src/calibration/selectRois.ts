import { labelPatterns } from '../model/labelPatterns.ts';
import { CalibrationError } from './calibrationError.ts';

/**
 * A ROI manifest with those regions alone that the patterns mean (see {@link labelPatterns}). All else in it stays.
 *
 * @param text of a manifest that can be read
 * @throws CalibrationError when none is left, with some labels
 */
export function selectRois(text: string, patterns: readonly string[]): { text: string; kept: number; of: number } {
  const manifest = JSON.parse(text.replace(/^\ufeff/, '')) as Record<string, { label: string }>;
  const isKept = labelPatterns(patterns);
  const all = Object.entries(manifest);
  const rois = all.filter(([key]) => key.includes('ROI'));
  const left = all.filter(([key, { label }]) => !key.includes('ROI') || isKept(label));
  const kept = left.length - (all.length - rois.length);
  if (kept === 0) {
    const labels = rois.map(([, { label }]) => label);
    const some = labels.length > 6 ? `${labels.slice(0, 6).join(', ')}, …` : labels.join(', ');
    throw new CalibrationError(`no region fits ${patterns.join(' ')}; their labels are ${some}`);
  }
  return { text: `${JSON.stringify(Object.fromEntries(left), null, 2)}\n`, kept, of: rois.length };
}
