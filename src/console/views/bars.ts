import type { Drawing } from '../drawing.ts';

/** Parts of a cell, smallest first; none in ASCII. */
const parts = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/** What lacks less than this is whole: a rate is not known better. */
const whole = 0.995;

/**
 * A bar of `width` columns that is full when `share` is 1 and never before; anything above 0 shows.
 * It is exact to an eighth of a column, in ASCII to a column.
 */
export function bar(
  share: number,
  width: number,
  { filled, empty, unicode }: Pick<Drawing, 'filled' | 'empty' | 'unicode'>,
): string {
  const part = Number.isFinite(share) ? Math.max(0, Math.min(1, share)) : 0;
  if (part >= whole) return filled.repeat(width);
  const eighths = Math.max(part > 0 ? 1 : 0, Math.floor(part * width * 8));
  if (!unicode) {
    const cells = Math.max(part > 0 ? 1 : 0, Math.floor(part * width));
    return filled.repeat(cells) + empty.repeat(width - cells);
  }
  const [cells, rest] = [Math.floor(eighths / 8), eighths % 8];
  const begun = rest > 0 ? (parts[rest - 1] as string) : '';
  return filled.repeat(cells) + begun + empty.repeat(width - cells - begun.length);
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
