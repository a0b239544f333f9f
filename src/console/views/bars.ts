import type { Drawing } from '../drawing.ts';

/** A bar of `width` columns of which `share` (0 to 1, more counts as 1) is filled; anything above 0 shows. */
export function bar(share: number, width: number, { filled, empty }: Pick<Drawing, 'filled' | 'empty'>): string {
  const part = Number.isFinite(share) ? Math.max(0, Math.min(1, share)) : 0;
  const count = part > 0 ? Math.max(1, Math.round(part * width)) : 0;
  return filled.repeat(count) + empty.repeat(width - count);
}

/**
 * The course of values in `width` columns, against the highest of them: where there are more values than columns, each column
 * is the mean of its share. 0 is blank.
 */
export function sparkline(values: readonly number[], width: number, { levels }: Pick<Drawing, 'levels'>): string {
  const columns = Math.min(width, values.length);
  const means = Array.from({ length: columns }, (_, i) => {
    const from = Math.floor((i * values.length) / columns);
    const share = values.slice(from, Math.max(from + 1, Math.floor(((i + 1) * values.length) / columns)));
    return share.reduce((sum, value) => sum + value, 0) / share.length;
  });
  const most = Math.max(...means, 0);
  const highest = levels.length - 1;
  return means
    .map(value => (value > 0 ? levels[Math.max(1, Math.ceil((value / most) * highest))] : levels[0]) as string)
    .join('')
    .padStart(width);
}
