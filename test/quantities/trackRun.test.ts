import { describe, expect, it } from 'vitest';
import { flicker, sigma, simulate } from './simulatedRun.ts';

const labelsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `R${i}`);
const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, each) => sum + each ** 2, 0) / values.length);

describe('the tracker of a run', () => {
  it('tells a step up and one back to within one frame, with its height, in every ROI', () => {
    const labels = labelsOf(20);
    const { changes } = simulate({
      frames: 300,
      labels,
      shift: (frame, _, noise) => (frame > 100.3 && frame < 200.7 ? 0.5 : 0) + sigma * noise.normal(),
    });
    const up = changes.filter(({ height }) => height > 0);
    const back = changes.filter(({ height }) => height < 0);
    expect([up.length, back.length]).toEqual([20, 20]);
    for (const { time } of up) expect(Math.abs(time / 10_000 - 100.3)).toBeLessThan(1);
    for (const { time } of back) expect(Math.abs(time / 10_000 - 200.7)).toBeLessThan(1);
    const errors = changes.map(({ height, heightSigma }) => (Math.abs(height) - 0.5) / heightSigma);
    expect(rms(errors)).toBeGreaterThan(0.6);
    expect(rms(errors)).toBeLessThan(1.2);
    expect(up[0]!.timeSigma).toBeGreaterThan(2.8);
  });

  it('finds no change in drift, 1/f noise, slow waves and single wrong values', () => {
    const slow = labelsOf(20).map(() => null as null | (() => number));
    const { changes } = simulate({
      frames: 700,
      labels: labelsOf(20),
      shift: (frame, roi, noise) => {
        slow[roi] ??= flicker(noise);
        const wrong = (frame + 7 * roi) % 97 === 0 ? 3 : 0;
        return sigma * (noise.normal() + slow[roi]!()) + frame / 2000 + 0.2 * Math.sin(frame / 60) + wrong;
      },
    });
    expect(changes).toEqual([]);
  });

  it('short flips that no flag tells are no change, and count as no noise', () => {
    const { changes, figures } = simulate({
      frames: 460,
      labels: labelsOf(20),
      shift: (frame, roi, noise) => sigma * noise.normal() + ((frame + 13 * roi) % 151 < 1 + (roi % 5) ? 25 : 0),
    });
    expect(changes).toEqual([]);
    for (const { noise } of figures.rois) expect(noise).toBeLessThan(1.5 * sigma);
  });

  it('a run that begins anywhere between steps, each with a slow tail: steps that come before the noise is known never count as noise, and those after are found', () => {
    const labels = labelsOf(24);
    const { changes, figures } = simulate({
      frames: 240,
      labels,
      shift: (frame, roi, noise) => {
        const since = (frame + roi) % 24;
        const up = Math.floor((frame + roi) / 24) % 2 === 0;
        return sigma * noise.normal() + (up ? 1 : -1) * (1 - 0.4 * Math.exp(-since / 6));
      },
    });
    for (const { noise } of figures.rois) expect(noise).toBeLessThan(3 * sigma);
    const late = changes.filter(({ time }) => time > 1_200_000);
    expect(late.length).toBeGreaterThanOrEqual(24 * 4);
  });

  it('the frames that a reference is made from say nothing of the quality of a ROI', () => {
    const words = [5, 6, 40].map(
      frames =>
        simulate({
          frames,
          labels: ['R'],
          shift: (frame, _, noise) => (frame < 4 ? Number.NaN : sigma * noise.normal()),
        }).figures.rois[0]!.quality.word,
    );
    expect(words).toEqual(['new', 'new', 'good']);
    // No good value yet: the frame after them is flagged, and its line is not lost.
    const flagged = simulate({
      frames: 5,
      labels: ['R'],
      shift: frame => (frame < 4 ? Number.NaN : 0.1),
      kind: frame => (frame < 4 ? 'missing' : 'two_peaks'),
    });
    expect(flagged.figures.rois[0]!.quality.word).toBe('flips');
    const lost = simulate({
      frames: 40,
      labels: ['R'],
      shift: (frame, _, noise) => (frame < 9 ? sigma * noise.normal() : Number.NaN),
    });
    expect(lost.figures.rois[0]!.quality.word).toBe('lost');
  });

  it('a ROI that flips between two peaks is said to flip, has no change, and changes no figure of the others', () => {
    const labels = labelsOf(20);
    const run = (flips: boolean) =>
      simulate({
        frames: 400,
        labels,
        shift: (frame, roi, noise) =>
          (frame > 250 ? 0.4 : 0) + sigma * noise.normal() + (flips && roi === 3 && frame % 7 < 3 ? 25 : 0),
        kind: (frame, roi) => (flips && roi === 3 && frame % 7 < 3 ? 'two_peaks' : 'good'),
      });
    const [calm, flipping] = [run(false), run(true)];
    expect(flipping.figures.rois[3]!.quality.word).toBe('flips');
    expect(flipping.figures.rois[3]!.flips).toBe(57);
    expect(flipping.changes.map(({ name }) => name).sort()).toEqual([...labels].sort());
    const others = ({ figures }: typeof calm) => figures.rois.filter(({ name }) => name !== 'R3');
    expect(others(flipping)).toEqual(others(calm));
  });

  it('white noise has the Allan deviation of its standard deviation over the root of the frames', () => {
    const { figures } = simulate({ frames: 2000, labels: ['R'], shift: (_, __, noise) => sigma * noise.normal() });
    const { allan } = figures.rois[0]!;
    expect(allan.length).toBeGreaterThan(8);
    for (const { frames, deviation } of allan.slice(0, 6)) {
      expect(deviation / (sigma / Math.sqrt(frames))).toBeGreaterThan(0.8);
      expect(deviation / (sigma / Math.sqrt(frames))).toBeLessThan(1.25);
    }
  });

  it('tells the influence of the temperature from drift, over a change too', () => {
    const labels = labelsOf(16);
    const temperature = (frame: number): number => 25 + Math.sin(frame / 40);
    const { figures } = simulate({
      frames: 600,
      labels,
      temperature,
      shift: (frame, _, noise) =>
        0.05 * temperature(frame) + 0.3 * (frame / 360) + (frame > 300 ? 2 : 0) + sigma * noise.normal(),
    });
    const pulls = figures.rois.map(roi => (roi.temperature!.value - 0.05) / roi.temperature!.sigma);
    const drifts = figures.rois.map(roi => (roi.drift!.value - 0.3) / roi.drift!.sigma);
    for (const each of [pulls, drifts]) {
      expect(rms(each)).toBeGreaterThan(0.6);
      expect(rms(each)).toBeLessThan(1.4);
    }
  });

  it('joins the halves of a bow-tie: their mean is the resonance, half their difference the movement, and a missing half leaves none', () => {
    const { figures } = simulate({
      frames: 60,
      labels: ['0A_N', '0A_S', '1A_A', '1A_B', 'alone_N'],
      shift: (frame, roi) => [3, 1, frame === 59 ? Number.NaN : 2, 4, 9][roi]!,
    });
    const [stacked, beside] = figures.pairs;
    expect(figures.pairs.map(({ name }) => name)).toEqual(['0A', '1A']);
    expect([stacked!.resonance.shift, stacked!.movement.shift]).toEqual([2, 1]);
    expect([beside!.resonance.shift, beside!.movement.shift]).toEqual([null, null]);
    expect([beside!.resonance.median, beside!.resonance.values]).toEqual([3, 59]);
  });

  it('a new reference is a new zero: it is said, no ROI changes by it, and no figure mixes what was before with what came after', () => {
    const labels = labelsOf(5);
    const settings = { groups: [{ name: 'all', has: () => true }], zero: { from: 0, end: 1_000_000 } };
    const run = (zero: number) =>
      simulate({
        frames: 300,
        labels,
        settings,
        shift: (frame, _, noise) => (frame < 150 ? 0 : zero) + sigma * noise.normal(),
        reference: frame => (frame < 5 ? null : frame < 150 ? 'one' : 'other'),
      });
    const [same, far] = [run(0), run(-7)];
    expect(far.changes).toEqual([]);
    expect(far.figures.references).toEqual([
      { reference: 'one', since: 50_000 },
      { reference: 'other', since: 1_500_000 },
    ]);
    for (const [i, { median, rezeroed, noise, drift, quality }] of far.figures.rois.entries()) {
      expect(median).toBeCloseTo(same.figures.rois[i]!.median! - 7, 9);
      expect(noise).toBeCloseTo(same.figures.rois[i]!.noise!, 9);
      expect(quality.word).toBe('good');
      expect(drift!.value).toBeCloseTo(same.figures.rois[i]!.drift!.value, 9);
      // The images of that zero were measured from another one.
      expect(rezeroed).toBeNull();
    }
  });

  it('frames just after a new reference: neither median nor slope has values from before it', () => {
    const { figures } = simulate({
      frames: 155,
      labels: ['R'],
      shift: frame => (frame < 150 ? 5 : -2),
      reference: frame => (frame < 150 ? 'one' : 'other'),
    });
    expect(figures.rois[0]).toMatchObject({ median: -2, slope: { value: 0 } });
  });

  it('a chip whose pattern pulls the line after a step: the height of the change has that error, which no averaging takes away', () => {
    const labels = labelsOf(100);
    const pulled = labels.map((_, i) => 0.1 * Math.sin(12.9898 * i * i));
    const { changes } = simulate({
      frames: 110,
      labels,
      sigmas: frame => (frame < 70 ? sigma : Math.hypot(sigma, 0.07)),
      shift: (frame, roi, noise) => (frame < 70 ? 0 : 1 + pulled[roi]!) + sigma * noise.normal(),
    });
    const errors = changes.map(({ height, heightSigma }) => (height - 1) / heightSigma);
    expect(errors).toHaveLength(100);
    expect(rms(errors)).toBeGreaterThan(0.8);
    expect(rms(errors)).toBeLessThan(1.2);
  });

  it('frames that are taken together tell what they tell one by one, whatever changes between them', () => {
    const run = {
      frames: 260,
      labels: ['0A_N', '0A_S', 'c'],
      settings: { groups: [{ name: 'all', has: () => true }], zero: { from: 300_000, end: 900_000 } },
      shift: (frame: number, roi: number) =>
        frame % 41 === roi
          ? Number.NaN
          : Math.sin(frame * (roi + 1)) / 50 + (frame > 90 ? 1 : 0) - (frame > 200 ? 2 : 0),
      kind: (frame: number, roi: number) => ((frame >> 2) % 9 === roi ? ('two_peaks' as const) : ('good' as const)),
      temperature: (frame: number) => (frame < 37 ? Number.NaN : 20 + frame / 100),
      reference: (frame: number) => (frame < 5 ? null : frame < 150 ? 'one' : 'other'),
      // Another ROI turns up, and one is gone.
      labelsOf: (frame: number) => (frame < 121 ? ['0A_N', '0A_S'] : ['0A_N', '0A_S', 'c']),
    };
    const [alone, together] = [1, 8].map(block => simulate({ ...run, block }));
    expect(together!.changes).toEqual(alone!.changes);
    expect(together!.changes.length).toBeGreaterThan(4);
    expect(together!.tracker.state).toEqual(alone!.tracker.state);
  });

  it('goes on from a copy of its state as if it had never ended', () => {
    const run = { labels: labelsOf(3), shift: (frame: number, roi: number) => Math.sin(frame * (roi + 1)) / 50 };
    const whole = simulate({ frames: 300, ...run });
    const { tracker } = simulate({ frames: 200, ...run });
    const later = simulate({ frames: 300, ...run, state: structuredClone(tracker.state), from: 200 });
    expect(later.figures).toEqual(whole.figures);
  });
});
