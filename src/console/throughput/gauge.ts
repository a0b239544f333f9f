import type { Drawing } from '../drawing.ts';

/** Parts of a cell, smallest first; none in ASCII. */
const parts = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/** What lacks less than this is whole: a rate is not known better. */
const whole = 0.99;

/**
 * A gauge of `width` columns that is full when `share` is 1 and never before; anything above 0 shows.
 * It is exact to an eighth of a column, in ASCII to a column.
 */
export function gauge(share: number, width: number, { filled, empty, unicode }: Drawing): string {
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
