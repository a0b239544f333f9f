import { describe, expect, it } from 'vitest';
import { clockTime, concentrationOf, type ExperimentStep, inOrderOfTime } from '../../src/model/experimentStep.ts';
import { boundFraction } from '../../src/quantities/langmuir.ts';
import { plateau } from '../../src/quantities/plateau.ts';
import { fitLine } from '../../src/quantities/regression.ts';
import { sense } from '../../src/quantities/sensing.ts';
import { sensitivity } from '../../src/quantities/sensitivity.ts';
import { gaussianNoise, seededRandom } from './noise.ts';

const t0 = clockTime('2026-11-28T12:00');
const at = (minutes: number): string => new Date(t0 + minutes * 60_000).toISOString().slice(0, 19);
const steps: ExperimentStep[] = [
  { time: at(0), liquid: 'water', refractive_index: 1.333 },
  { time: at(10), liquid: 'ethanol 10 %', refractive_index: 1.34 },
  { time: at(20), liquid: 'ethanol 20 %', refractive_index: 1.347 },
  { time: at(30), liquid: 'buffer' },
  { time: at(40), liquid: 'protein', concentration: '10 nM' },
  { time: at(60), liquid: 'buffer', concentration: '0' },
];
const times = Float64Array.from({ length: 960 }, (_, i) => t0 + i * 5000);
const binding = [
  { time: 2400, concentration: 1e-8 },
  { time: 3600, concentration: 0 },
];
const index = (ms: number): number => [1.333, 1.34, 1.347, 1.333][Math.min(3, Math.floor(ms / 600_000))]!;

/** A ROI of a sensitivity with noise of 0.15 px. */
function curve(perUnit: number, noise: () => number): Float32Array {
  const bound = boundFraction(
    times.map(time => (time - t0) / 1000),
    binding,
    2e5,
    1.5e-3,
  );
  return Float32Array.from(times, (time, i) => (index(time - t0) - 1.333) * perUnit - 4 * bound[i]! + 0.15 * noise());
}

describe('sensing figures', () => {
  it('of 200 ROIs: sensitivities and their errors are true, so are limit of detection and rates', () => {
    const noise = gaussianNoise(seededRandom(11));
    const truths = Array.from({ length: 200 }, (_, i) => 200 + i);
    const labels = truths.map((_, i) => `${i}A_N`);
    const groups = [{ name: 'all', has: () => true }];
    const figures = sense({
      times,
      labels,
      shifts: truths.map(truth => curve(truth, noise)),
      steps: steps.slice(0, 4),
      groups,
    });
    let [inside, insideTwo] = [0, 0];
    for (const [i, { refractive, binding: none }] of figures.rois.entries()) {
      const error = Math.abs(refractive!.value - truths[i]!) / refractive!.sigma;
      if (error < 1) inside++;
      if (error < 2) insideTwo++;
      expect(refractive!.detectionLimit! / ((3 * 0.15) / truths[i]!)).toBeCloseTo(1, 0);
      expect(none).toBeNull();
    }
    expect(inside / 200).toBeGreaterThan(0.6);
    expect(inside / 200).toBeLessThan(0.78);
    expect(insideTwo / 200).toBeGreaterThan(0.92);
    expect(figures.groups[0]).toMatchObject({ name: 'all', members: 200 });
    expect(figures.groups[0]!.refractive!.value).toBeCloseTo(299.5, 0);
  });

  it('of a curve of binding that follows steps of other liquids: its rates', () => {
    const noise = gaussianNoise(seededRandom(5));
    const [{ binding: fit, plateaus }] = sense({ times, labels: ['a'], shifts: [curve(300, noise)], steps, groups: [] })
      .rois as [never];
    const { kOn, kOff, maxShift } = fit as NonNullable<ReturnType<typeof sense>['rois'][number]['binding']>;
    expect(Math.abs(kOn.value - 2e5) / kOn.sigma).toBeLessThan(3);
    expect(Math.abs(kOff.value - 1.5e-3) / kOff.sigma).toBeLessThan(3);
    expect(Math.abs(maxShift.value + 4) / maxShift.sigma).toBeLessThan(3);
    expect(plateaus).toHaveLength(6);
  });

  it('of ROIs that flip to another peak, or are lost, are missing, and change none of the others', () => {
    const noise = gaussianNoise(seededRandom(6));
    const good = curve(300, noise);
    const flipping = curve(300, noise).map((value, i) => (i % 3 === 0 ? value + 200 : value));
    const lost = new Float32Array(times.length).fill(Number.NaN);
    const [alone] = sense({ times, labels: ['a'], shifts: [good], steps, groups: [] }).rois;
    const [with_, flips, nothing] = sense({
      times,
      labels: ['a', 'b', 'c'],
      shifts: [good, flipping, lost],
      steps,
      groups: [],
    }).rois;
    expect(with_).toEqual(alone);
    // Its minority is far from the others, and does not count.
    expect(flips!.plateaus[1]!.rejected).toBeGreaterThan(10);
    expect(Math.abs(flips!.plateaus[1]!.mean - 2.1)).toBeLessThan(0.1);
    expect(nothing).toMatchObject({ refractive: null, binding: null, plateaus: Array(6).fill(null) });
  });
});

describe('plateaus', () => {
  it('have true errors for independent and for slowly wandering noise', () => {
    const noise = gaussianNoise(seededRandom(8));
    for (const memory of [0, 0.6]) {
      let inside = 0;
      for (let run = 0; run < 400; run++) {
        let wandering = noise() / Math.sqrt(1 - memory ** 2);
        const found = plateau(Array.from({ length: 150 }, () => (wandering = memory * wandering + noise())))!;
        if (Math.abs(found.mean) < found.sigma) inside++;
      }
      expect(inside / 400).toBeGreaterThan(0.62);
      expect(inside / 400).toBeLessThan(0.74);
    }
  });

  it('need three values', () => {
    expect(plateau([1, Number.NaN, 2])).toBeNull();
    expect(plateau([1, 1, 1])).toMatchObject({ mean: 1, sigma: 0, count: 3 });
  });
});

describe('a line through points', () => {
  it('is that of weighted least squares', () => {
    // By hand: weights 1 and 4.
    const line = fitLine([
      { x: 0, y: 1, sigma: 1 },
      { x: 1, y: 3, sigma: 0.5 },
    ])!;
    expect(line).toMatchObject({ slope: 2, intercept: 1, freedom: 0 });
    expect(line.slopeSigma).toBeCloseTo(Math.hypot(1, 0.5), 12);
    expect(line.interceptSigma).toBeCloseTo(1, 12);
  });

  it('is none through one x, and its errors grow with what the errors of the points do not tell', () => {
    expect(
      fitLine([
        { x: 1, y: 0, sigma: 1 },
        { x: 1, y: 2, sigma: 1 },
      ]),
    ).toBeNull();
    // 1.339 times its weight, over its weight, is not 1.339 again.
    for (const x of [1.333, 1.339, 1.3402, 0.1])
      expect(fitLine([0.039, 0.07].map(sigma => ({ x, y: -2.7, sigma })))).toBeNull();
    const scattered = [0, 1, 2, 3].map(x => ({ x, y: x + (x % 2 ? 10 : -10), sigma: 1 }));
    expect(fitLine(scattered)!.slopeSigma).toBeGreaterThan(5 / Math.sqrt(5));
  });

  it('that is level has no limit of detection', () => {
    const found = sensitivity(
      [
        { x: 1.33, y: 0, sigma: 1 },
        { x: 1.34, y: 0.01, sigma: 1 },
      ],
      0.2,
      0.01,
    )!;
    expect(found.detectionLimit).toBeNull();
  });
});

describe('steps of an experiment', () => {
  it.each([
    ['10 nM', 1e-8],
    ['2.5e-8 M', 2.5e-8],
    ['3 µM', 3e-6],
    ['3uM', 3e-6],
    ['0', 0],
    ['0 nM', 0],
    ['5', null],
    ['-1 nM', null],
    ['ten nM', null],
    ['5 Mn', null],
  ])('a concentration %s is %s', (text, value) => {
    if (value === null) expect(concentrationOf(text)).toBeNull();
    else expect(concentrationOf(text)).toBeCloseTo(value, 15);
  });

  it.each([
    ['2026-11-28T14:00:00.250', Date.UTC(2026, 10, 28, 14, 0, 0, 250)],
    ['2026-11-28 14:00', Date.UTC(2026, 10, 28, 14)],
    ['2026-11-28', Date.UTC(2026, 10, 28)],
    ['2026-06-31', Number.NaN],
    ['2026-11-28T14:00:00Z', Number.NaN],
    ['14:00', Number.NaN],
  ])('a time %s is %s', (text, value) => expect(clockTime(text)).toBe(value));

  it('stand in order of time, and one that is marked again counts once', () => {
    const marked = { time: at(5), liquid: 'protein', concentration: '5 nM' };
    expect(inOrderOfTime([steps[1]!, { time: at(5), liquid: 'protein' }, steps[0]!, marked])).toEqual([
      steps[0],
      marked,
      steps[1],
    ]);
  });
});
