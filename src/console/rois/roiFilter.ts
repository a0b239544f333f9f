import type { RoiRow } from './roisPage.ts';

/** Names of the flags, which a filter takes as words. */
const flagNames = ['low_signal', 'saturated', 'edge', 'two_peaks', 'moved', 'lost', 'pattern_changed'];

/** Words of the quality that no flag has; those of two words can't be typed. */
const qualityWords = ['good', 'flips', 'moving', 'noisy', 'drifting'];

/** Names that a comparison takes, and what they are of a row. */
const quantities = new Map<string, (row: RoiRow) => number>([
  ['shift', row => row.shift],
  ['|shift|', row => Math.abs(row.shift)],
  ['sigma', row => row.sigma],
  ['σ', row => row.sigma],
  ['chi', row => row.chi],
  ['chi2', row => row.chi],
  ['χ²', row => row.chi],
  ['drift', row => row.drift],
  ['noise', row => row.noise],
  ['|drift|', row => Math.abs(row.drift)],
]);

export interface RoiFilter {
  /** Whether a row is shown. */
  holds: (row: RoiRow) => boolean;
  /** A word that is understood as nothing, and why; null: there is none. */
  trouble: { word: string; why: string } | null;
}

/**
 * What a typed filter asks for: words with spaces between them, all of which must hold. A flag's name, `flagged`, a comparison
 * (`shift>0.01`, `|drift|>0.1`, `sigma<=0.002`, `chi>2`), else a label: a part of it, or a pattern with `*` and `?`. A `!` in front
 * of a word turns it round.
 */
export function roiFilter(text: string): RoiFilter {
  const tests: RoiFilter['holds'][] = [];
  let trouble: RoiFilter['trouble'] = null;
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const isTurned = word.startsWith('!') && word.length > 1;
    const test = testOf(isTurned ? word.slice(1) : word);
    if (typeof test === 'string') trouble ??= { word, why: test };
    else tests.push(isTurned ? row => !test(row) : test);
  }
  return { holds: row => tests.every(test => test(row)), trouble };
}

/** What a word asks for, or why it is not understood. */
function testOf(word: string): RoiFilter['holds'] | string {
  const [, name, sign, limit] = /^([^<>=]+)(<=|>=|<|>|=)(.*)$/.exec(word) ?? [];
  if (name !== undefined) {
    const value = quantities.get(name.toLowerCase());
    const number = Number(limit);
    if (!value) return `there is no "${name}"; there are shift, |shift|, sigma, chi, drift, |drift| and noise`;
    if (limit === '') return 'a number belongs behind it';
    if (Number.isNaN(number)) return `"${limit}" is no number`;
    return row => compare(value(row), sign as string, number);
  }
  const wanted = word.toLowerCase();
  if (wanted === 'flagged') return row => row.flags.length > 0;
  if (flagNames.includes(wanted)) return row => row.flags.some(flag => flag === wanted);
  if (qualityWords.includes(wanted)) return row => row.quality === wanted;
  const pattern = globOf(wanted);
  return row => pattern.test(row.label.toLowerCase());
}

/** What is not known is neither more nor less. */
function compare(value: number, sign: string, limit: number): boolean {
  if (sign === '>') return value > limit;
  if (sign === '<') return value < limit;
  if (sign === '>=') return value >= limit;
  return sign === '<=' ? value <= limit : value === limit;
}

/** Without `*` and `?` any part of a label will do. */
function globOf(word: string): RegExp {
  const escaped = word.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  const pattern = escaped.replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(/[*?]/.test(word) ? `^${pattern}$` : pattern, 'u');
}
