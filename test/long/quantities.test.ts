import { describe, expect, it } from 'vitest';
import type { RandomStream } from '../../src/model/randomStream.ts';
import type { ValueKind } from '../../src/quantities/seriesState.ts';
import { flicker, noiseOf, shares, sharesOf, sigma, simulate } from '../quantities/simulatedRun.ts';

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

/** Noise that long windows know little of. */
const slow =
  (keep: number): Noise =>
  random => {
    let last = random.normal();
    return () => {
      last = keep * last + Math.sqrt(1 - keep ** 2) * random.normal();
      return sigma * last;
    };
  };
const kinds: Readonly<Record<string, Noise>> = {
  white: noises.white!,
  'white and 1/f': noises['white and 1/f']!,
  '1/f': random => {
    const noise = flicker(random);
    return () => sigma * noise();
  },
  'white and a random walk': noises['white and a random walk']!,
  'a random walk': random => {
    let walk = 0;
    return () => (walk += sigma * random.normal());
  },
  'noise that lasts for 5 frames': slow(0.8),
  'noise that lasts for 20 frames': slow(0.95),
  'noise that lasts for 50 frames': slow(0.98),
  drift: noises.drift!,
};

const labelsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `R${i}`);

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
    const { ofSteps, ofChanges } = sharesOf(noises[name]!, { frames, window, rois });
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

  it.each(
    [
      [30, 10],
      [100, 33],
      [300, 100],
      [1000, 333],
    ].flatMap(([frames, window]) => Object.keys(kinds).map(name => [frames!, window!, name] as const)),
  )(
    'in a run of %d frames with windows of %d, a third of it, with %s, as all ROIs together tell it',
    (frames, window, name) => {
      const [one, two] = sharesOf(kinds[name]!, { frames, window, rois: 640, own: sigma / 5 }).ofSteps;
      expect(one).toBeGreaterThanOrEqual(56);
      expect(one).toBeLessThanOrEqual(82);
      expect(two).toBeGreaterThanOrEqual(88);
    },
  );

  it('while one ROI in twenty flips between two peaks: the steps of the others are the same, and so are their errors to a few percent', () => {
    const others = (flips: boolean) =>
      sharesOf(noises['white and 1/f']!, { frames: 1000, window: 100, rois: 200, flips }).steps.filter(
        (_, roi) => roi % 20 !== 3,
      );
    const [flipping, without] = [others(true), others(false)];
    for (const [i, { height, sigma: error }] of flipping.entries()) {
      expect(Math.abs(height - without[i]!.height)).toBeLessThan(error / 20);
      expect(error / without[i]!.sigma).toBeCloseTo(1, 1);
    }
  });
});
