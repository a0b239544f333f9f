import { matchesGlob } from 'node:path';

/**
 * Which ROIs some patterns mean: those whose label fits one of them (`0[0-5]?A*`), and none that begins with `!`; patterns with `!` alone
 * leave out from all. No pattern means all.
 */
export function labelPatterns(patterns: readonly string[]): (label: string) => boolean {
  const wanted = patterns.filter(pattern => !pattern.startsWith('!'));
  const unwanted = patterns.filter(pattern => pattern.startsWith('!')).map(pattern => pattern.slice(1));
  const fits = (label: string, globs: readonly string[]): boolean => globs.some(glob => matchesGlob(label, glob));
  return label => (wanted.length === 0 || fits(label, wanted)) && !fits(label, unwanted);
}

/** Those of some patterns that fit no label, with or without `!`: a slip, or a ROI that is not there any more. */
export const idlePatterns = (patterns: readonly string[], labels: readonly string[]): string[] =>
  patterns.filter(pattern => !labels.some(label => matchesGlob(label, pattern.replace(/^!/, ''))));
