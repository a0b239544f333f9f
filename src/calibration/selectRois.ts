import { matchesGlob } from 'node:path';
import { CalibrationError } from './calibrationError.ts';

/**
 * A ROI manifest with those regions alone whose label fits one of the patterns (`0[0-5]?A*`), and none that begins with `!`; patterns with `!` alone
 * leave out from all. All else in it stays.
 *
 * @param text of a manifest that can be read
 * @throws CalibrationError when none is left, with some labels
 */
export function selectRois(text: string, patterns: readonly string[]): { text: string; kept: number; of: number } {
  const manifest = JSON.parse(text.replace(/^\ufeff/, '')) as Record<string, { label: string }>;
  const wanted = patterns.filter(pattern => !pattern.startsWith('!'));
  const unwanted = patterns.filter(pattern => pattern.startsWith('!')).map(pattern => pattern.slice(1));
  const fits = (label: string, globs: readonly string[]): boolean => globs.some(glob => matchesGlob(label, glob));
  const isKept = (label: string): boolean => (wanted.length === 0 || fits(label, wanted)) && !fits(label, unwanted);
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
