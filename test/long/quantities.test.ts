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

describe('steps between two windows', () => {
  // The random walk is the hardest: its greatest part is slower than the run.
  it.each(['white', 'white and 1/f', 'neighbours that depend on each other'])(
    'with %s have the truth inside their error in 68 of 100 ROIs, and inside twice it in 95',
    name => {
      const noise = noiseOf(noises[name]!);
      const labels = labelsOf(500);
      const windows = labels.map(() => [[], []] as [number[], number[]]);
      const { figures } = simulate({
        frames: 3000,
        labels,
        shift: (frame, roi, random) => {
          const shift = noise(frame, roi, random) + (frame >= 1500 ? 0.5 : 0);
          if (frame >= 1390 && frame < 1490) windows[roi]![0].push(shift);
          if (frame >= 1510 && frame < 1610) windows[roi]![1].push(shift);
          return shift;
        },
      });
      const errors = figures.rois.map(({ allan }, i) => {
        const [first, second] = windows[i]!.map(shifts => ({ shifts, sigmas: shifts.map(() => sigma) }));
        const step = stepHeight(first!, second!, allan, 120)!;
        return Math.abs(step.height - 0.5) / step.sigma;
      });
      const inside = (most: number): number => errors.filter(error => error <= most).length / 5;
      expect(inside(1)).toBeGreaterThan(63);
      expect(inside(1)).toBeLessThan(76);
      expect(inside(1.96)).toBeGreaterThan(92);
      expect(inside(1.96)).toBeLessThan(98.5);
    },
  );
});
