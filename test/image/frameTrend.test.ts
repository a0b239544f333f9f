import { expect, it } from 'vitest';
import { Trend } from '../../src/image/frameTrend.ts';

const after = (values: readonly number[]) => {
  const trend = new Trend();
  return values.map(value => trend.add(value)).at(-1);
};
const noisy = (from: number, step: number) =>
  Array.from({ length: 14 }, (_, i) => from + step * i + [0.3, -0.2, 0.1, -0.3, 0.2][i % 5]!);

it.each([
  ['is steady over the first frames', [1, 9, 1, 9], 'steady'],
  ['is rising where the figure rises', noisy(20, 1), 'rising'],
  ['is falling where it falls', noisy(40, -1), 'falling'],
  ['is steady where frames only differ by themselves', noisy(20, 0), 'steady'],
  ['is steady where nothing changes at all', Array.from({ length: 12 }, () => 7), 'steady'],
] as const)('the trend of a figure %s', (_title, values, trend) => {
  expect(after(values)?.trend).toBe(trend);
});

it('keeps the best of all frames, and the last sixty', () => {
  const focus = after([50, ...Array.from({ length: 80 }, (_, i) => i / 10)]);
  expect(focus).toMatchObject({ best: 50 });
  expect(focus?.history).toHaveLength(60);
  expect(focus?.history.at(-1)).toBe(7.9);
});
