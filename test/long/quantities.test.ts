import { describe, expect, it } from 'vitest';
import type { RandomStream } from '../../src/model/randomStream.ts';
import { stepHeight } from '../../src/quantities/stepHeight.ts';
import type { ValueKind } from '../../src/quantities/trackSeries.ts';
import { flicker, sigma, simulate } from '../quantities/simulatedRun.ts';

type Noise = (random: RandomStream) => (frame: number) => number;

/** What a ROI does besides the steps, px. */
const noises: Readonly<Record<string, Noise>> = {
  white: random => () => sigma * random.normal(),
  'white and 1/f': random => {
    const slow = flicker(random);
    return () => sigma * (random.normal() + slow());
  },
  'white and a random walk': random => {
    let walk = 0;
    return () => {
      walk += 0.15 * sigma * random.normal();
      return walk + sigma * random.normal();
    };
  },
  'neighbours that depend on each other': random => {
    let last = random.normal();
    return () => {
      last = 0.8 * last + 0.6 * random.normal();
      return sigma * last;
    };
  },
  drift: random => frame => sigma * (random.normal() + 0.02 * frame),
  'drift, waves and wrong values': random => frame =>
    sigma * random.normal() + frame / 1200 + 0.3 * Math.sin(frame / 57) + (random.uniform() < 0.002 ? 5 : 0),
};

const labelsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `R${i}`);

/** A shift of each ROI from one kind of noise. */
function noiseOf(make: Noise): (frame: number, roi: number, random: RandomStream) => number {
  const made: ((frame: number) => number)[] = [];
  return (frame, roi, random) => {
    made[roi] ??= make(random);
    return made[roi]!(frame);
  };
}

describe('changes of level', () => {
  it.each(Object.keys(noises))(
    '2,000 ROI-hours without one, with %s: none, also in ROIs that flip or are lost',
    name => {
      const { changes } = simulate({
        frames: 7200,
        labels: labelsOf(100),
        shift: noiseOf(noises[name]!),
        // One ROI in twenty flips; each is lost now and then for up to an hour.
        kind: (frame, roi): ValueKind => {
          if (roi % 20 === 3 && (frame >> 3) % 5 === 0) return 'two_peaks';
          return (frame + 531 * roi) % 3000 < roi * 3 ? 'lost' : 'good';
        },
      });
      expect(changes).toEqual([]);
    },
  );

  it.each(Object.keys(noises))(
    'steps of 0.3 px with %s: 99 of 100 are found up and back, all to within one frame',
    name => {
      const noise = noiseOf(noises[name]!);
      const labels = labelsOf(200);
      const { changes } = simulate({
        frames: 900,
        labels,
        shift: (frame, roi, random) => noise(frame, roi, random) + (frame > 400.4 && frame < 650.6 ? 0.3 : 0),
      });
      expect(changes.length).toBeLessThanOrEqual(2 * labels.length);
      expect(changes.length).toBeGreaterThan(1.98 * labels.length);
      for (const { height, time } of changes) {
        expect(Math.abs(time / 10_000 - (height > 0 ? 400.4 : 650.6))).toBeLessThan(1);
      }
    },
  );
});

/** In how many of 100 ROIs the truth is inside of one error and of two. */
const shares = (errors: readonly number[]): [number, number] => [
  Math.round((100 * errors.filter(error => error <= 1).length) / errors.length),
  Math.round((100 * errors.filter(error => error <= 2).length) / errors.length),
];

/** Shares of steps between windows of so many frames on both sides of a step in the middle of a run, and of the changes that were found. */
function sharesOf(name: string, frames: number, window: number, rois: number, flips = false) {
  const noise = noiseOf(noises[name]!);
  const labels = labelsOf(rois);
  const windows = labels.map(() => [[], []] as [number[], number[]]);
  const gap = Math.max(1, Math.floor(window / 10));
  const half = frames / 2;
  const isFlip = (frame: number, roi: number): boolean => flips && roi % 20 === 3 && (frame >> 3) % 3 === 0;
  const { figures, changes } = simulate({
    frames,
    labels,
    kind: (frame, roi) => (isFlip(frame, roi) ? 'two_peaks' : 'good'),
    shift: (frame, roi, random) => {
      const shift = noise(frame, roi, random) + (frame >= half ? 0.5 : 0) + (isFlip(frame, roi) ? 25 : 0);
      const value = isFlip(frame, roi) ? Number.NaN : shift;
      if (frame >= half - gap - window && frame < half - gap) windows[roi]![0].push(value);
      if (frame >= half + gap && frame < half + gap + window) windows[roi]![1].push(value);
      return shift;
    },
  });
  const steps = figures.rois.map(({ allan, drift, changeCount }, i) => {
    const [first, second] = windows[i]!.map(shifts => ({ shifts, sigmas: shifts.map(() => sigma) }));
    const perFrame = drift && (drift.value * figures.interval!) / 3600;
    const run = { allan, drift: perFrame, levels: changeCount + 1, apart: window + 2 * gap };
    return stepHeight(first!, second!, run)!;
  });
  const found = changes.filter(({ time }) => Math.abs(time / 10_000 - half) < 2);
  return {
    steps,
    ofSteps: shares(steps.map(({ height, sigma: error }) => Math.abs(height - 0.5) / error)),
    ofChanges: shares(found.map(({ height, heightSigma }) => Math.abs(height - 0.5) / heightSigma)),
  };
}

const steady = ['white', 'white and 1/f', 'white and a random walk', 'neighbours that depend on each other', 'drift'];
/** Sums over all kinds of noise, for the mean. */
const together = new Map<number, number[][]>();

describe('drifts over the run', () => {
  it.each([
    ['white', 60, 92],
    ['neighbours that depend on each other', 58, 90],
    ['white and 1/f', 52, 80],
    ['white and a random walk', 42, 70],
  ])('%s: none is within one error in %d of 100 ROIs or more, and within two in %d', (name, one, two) => {
    const noise = noiseOf(noises[name]!);
    const { figures } = simulate({ frames: 1000, labels: labelsOf(300), shift: noise });
    const found = shares(figures.rois.map(({ drift }) => Math.abs(drift!.value) / drift!.sigma));
    expect(found[0]).toBeGreaterThanOrEqual(one);
    expect(found[0]).toBeLessThanOrEqual(80);
    expect(found[1]).toBeGreaterThanOrEqual(two);
  });
});

describe('the truth is inside one error in 68 of 100 ROIs, and inside two in 95', () => {
  it.each(
    [
      [100, 10],
      [300, 30],
      [1000, 100],
      [3000, 300],
      [10_000, 300],
    ].flatMap(([frames, window]) => steady.map(name => [frames!, window!, name] as const)),
  )('in a run of %d frames with windows of %d, with %s', (frames, window, name) => {
    const rois = Math.max(200, Math.min(1000, 600_000 / frames));
    const { ofSteps, ofChanges } = sharesOf(name, frames, window, rois);
    together.set(frames, [...(together.get(frames) ?? []), ofSteps]);
    // What 200 ROIs can't tell from 68 and 95 (three standard errors), and what 100 frames tell of slow noise.
    const few = frames < 300 ? 4 : 0;
    expect(ofSteps[0], 'steps, one error').toBeGreaterThanOrEqual(59 - few);
    expect(ofSteps[0], 'steps, one error').toBeLessThanOrEqual(77 + few);
    expect(ofSteps[1], 'steps, two errors').toBeGreaterThanOrEqual(90 - few);
    expect(ofChanges[0], 'changes, one error').toBeGreaterThanOrEqual(57);
    expect(ofChanges[0], 'changes, one error').toBeLessThanOrEqual(80 + few);
    expect(ofChanges[1], 'changes, two errors').toBeGreaterThanOrEqual(89);
    if (name !== steady.at(-1)) return;
    const mean = (which: number): number =>
      together.get(frames)!.reduce((sum, each) => sum + each[which]!, 0) / together.get(frames)!.length;
    expect(Math.abs(mean(0) - 68)).toBeLessThanOrEqual(5);
    expect(Math.abs(mean(1) - 95)).toBeLessThanOrEqual(3);
  });

  it('in a run of 30 frames with windows of 10: the errors of white noise are true, and no other is worth nothing', () => {
    for (const name of steady) {
      const [one, two] = sharesOf(name, 30, 10, 1000).ofSteps;
      expect(one, name).toBeGreaterThan(60);
      expect(two, name).toBeGreaterThan(85);
    }
    expect(sharesOf('white', 30, 10, 1000).ofSteps[0]).toBeLessThan(84);
  });

  it('while one ROI in twenty flips between two peaks: the steps of the others are the same to the bit', () => {
    const others = (flips: boolean) =>
      sharesOf('white and 1/f', 1000, 100, 200, flips).steps.filter((_, roi) => roi % 20 !== 3);
    expect(others(true)).toEqual(others(false));
  });
});
