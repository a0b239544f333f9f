import { expect, test } from 'vitest';
import { createExtrapolation } from '../../src/analysis/joint/extrapolation.ts';

/** Rounds until the steps of a search that nears (3, −40) by shares are short. */
function rounds(shares: readonly [number, number], isQuickened: boolean): number {
  const goal = [3, -40];
  const scales = Float64Array.of(1, 10);
  const extrapolation = createExtrapolation(2);
  const point = [0, 0];
  const step = new Float64Array(2);
  for (let round = 0; ; round++) {
    for (let i = 0; i < 2; i++) step[i] = (1 - shares[i]) * (goal[i] - point[i]);
    if (Math.hypot(step[0], step[1]) < 1e-9) return round;
    if (isQuickened) extrapolation.apply(step, scales, 2, round === 0);
    for (let i = 0; i < 2; i++) point[i] += step[i];
  }
}

test('steps that shrink by one share end at once, by two shares sooner', () => {
  expect(rounds([0.4, 0.4], false)).toBeGreaterThan(20);
  expect(rounds([0.4, 0.4], true)).toBe(2);
  expect(rounds([0.4, 0.1], true)).toBeLessThan(rounds([0.4, 0.1], false) / 1.5);
});

test('a step alone stays as it is', () => {
  const step = Float64Array.of(1, 2);
  createExtrapolation(2).apply(step, Float64Array.of(1, 1), 2, true);
  expect([...step]).toEqual([1, 2]);
});
