/** Ways to move in what is longer than its window. */
export type Move = 'up' | 'down' | 'pageUp' | 'pageDown' | 'top' | 'end';

/** By how many lines a move goes in a window of `height` lines. */
export function moveBy(move: Move, height: number): number {
  const page = Math.max(1, height - 1);
  return { up: -1, down: 1, pageUp: -page, pageDown: page, top: -1e9, end: 1e9 }[move];
}

export const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

/** The first item of a window of `height` that has the item `cursor` in it, near the middle. */
export const windowTop = (cursor: number, count: number, height: number): number =>
  clamp(cursor - Math.floor(height / 2), 0, Math.max(0, count - height));
