import { expect, it } from 'vitest';
import type { RandomStream } from '../../src/model/randomStream.ts';
import { pooledAllan, pooledDrifts } from '../../src/quantities/pooledNoise.ts';
import { sharesOf, sigma } from './simulatedRun.ts';

const walk = (random: RandomStream): (() => number) => {
  let at = 0;
  return () => {
    at += sigma * random.normal();
    return at;
  };
};
const slowly = (random: RandomStream): (() => number) => {
  let last = random.normal();
  return () => {
    last = 0.95 * last + Math.sqrt(1 - 0.95 ** 2) * random.normal();
    return sigma * last;
  };
};

it.each([
  ['white noise', (random: RandomStream) => () => sigma * random.normal()],
  ['a random walk', walk],
  ['noise that lasts for twenty frames', slowly],
])(
  'steps between ten and ten of thirty frames have true errors with %s: each ROI counts with what the others tell of it',
  (_, noise) => {
    const { ofSteps } = sharesOf(noise, { frames: 30, window: 10, rois: 96, own: sigma / 5 });
    expect(Math.abs(ofSteps[0] - 68)).toBeLessThanOrEqual(15);
    expect(ofSteps[1]).toBeGreaterThanOrEqual(90);
  },
);

const points = (variances: readonly number[]) =>
  variances.map((variance, octave) => ({ frames: 2 ** octave, deviation: Math.sqrt(variance), differences: 40 }));

it('a ROI whose noise is of another kind keeps its own Allan deviations; fewer than eight ROIs keep all', () => {
  const usual = Array.from({ length: 40 }, (_, i) =>
    points([1, 0.5, 0.25, 0.125].map(each => each * (1 + 0.02 * (i % 5)))),
  );
  const other = points([1, 4, 16, 64]);
  const pooled = pooledAllan([...usual, other]);
  expect(pooled.at(-1)!.slice(1)).toEqual(other.slice(1));
  expect(pooled[0]![3]!.differences).toBeGreaterThan(40);
  expect(pooledAllan(usual.slice(0, 7))).toEqual(usual.slice(0, 7));
});

it('drifts that no ROI is sure of are told by all of them, and one that is surely another stays', () => {
  const drifts = Array.from({ length: 64 }, (_, i) => ({ value: 1 + 0.6 * Math.sin(i), variance: 0.5 }));
  const told = pooledDrifts([
    ...drifts,
    { value: 40, variance: 0.5 },
    { value: 0, variance: Number.POSITIVE_INFINITY },
  ]);
  expect(told[0]!.value).toBeCloseTo(1, 0);
  expect(told[0]!.variance).toBeLessThan(0.1);
  expect(told[64]!.value).toBeGreaterThan(39);
  expect(told[65]).toEqual({ value: 0, variance: 0 });
  // Noise that all have in common is no drift that many have measured.
  const same = pooledDrifts(drifts.map(() => ({ value: 1, variance: 0.5 })));
  expect(Math.sqrt(same[0]!.variance) + 1 - same[0]!.value).toBeGreaterThan(0.5);
});
