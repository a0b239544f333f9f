import { describe, expect, it } from 'vitest';
import { createEstimator } from '../../src/analysis/roiPiece.ts';
import { createReferenceBuilder } from '../../src/analysis/shift/makeReference.ts';
import { createShiftFinder } from '../../src/analysis/shift/roiShift.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { PatternedChip, patternedOptions } from '../analysis/shift/patternedRois.ts';
import { shiftAccuracy } from '../analysis/shift/shiftAccuracy.ts';

describe.each([
  ['that stand still', {}],
  ['of a chip that jitters by 0.2 px', { jitter: 0.2 }],
  ['of Fano lines', { lineShape: 'fano' }],
] as const)('2,000 ROIs with a static pattern, on pictures %s', (_, changed) => {
  it('have true error bars of their shifts, and of their positions in the reference', () => {
    const found = shiftAccuracy({ ...patternedOptions, ...changed }, { chips: 50, frames: 1, bounded: 12, seed: 2001 });
    expect(found.count).toBe(2000);
    for (const { withinOne, withinTwo } of [found, found.position]) {
      expect(Math.abs(withinOne - 0.68)).toBeLessThan(0.04);
      expect(Math.abs(withinTwo - 0.95)).toBeLessThan(0.025);
    }
    expect(found.scatter).toBeLessThan(1.2 * found.bound);
    expect(found.position.scatter).toBeLessThan(1.2 * found.position.bound);
    expect(found.wrong).toBeLessThan(0.01);
    // Some Fano lines under such a pattern are no line to a frame alone.
    expect(found.missing).toBeLessThan(('lineShape' in changed ? 0.03 : 0.02) * found.count);
  });
});

it('parts of ROIs without light take nothing from the shifts, though the dark level is unknown', () => {
  const chip = new PatternedChip(41, 40, patternedOptions);
  const rest = chip.rois.map(({ mean }) => mean);
  const shaded = (positions: readonly number[]): Pixels => {
    const frame = chip.frame(positions);
    // The left tenth of each second ROI and more lies in the dark.
    const data = frame.data.map((value, i) => {
      const roi = Math.floor(i / frame.width / (frame.height / 40));
      const lit = roi % 2 === 0 ? 1 : 1 / (1 + Math.exp((14 + 0.4 * roi - (i % frame.width)) / 1.5));
      return Math.round(100 + lit * (value - 100));
    });
    return { ...frame, data };
  };
  const estimator = createEstimator({ estimator: 'roi', method: 'gaussian', numberOfSubRois: 0 });
  const options = { rois: chip.manifest, method: 'gaussian', estimator, shifts: true, darkLevel: null } as const;
  const builder = createReferenceBuilder(options);
  for (let i = 0; i < 5; i++) builder.add(shaded(rest), Number.POSITIVE_INFINITY, chip.manifest);
  const reference = builder.finish();
  expect(Math.abs(reference.darkLevel - 100)).toBeLessThan(8);
  const finder = createShiftFinder(reference);
  const frame = shaded(rest.map(at => at + 8));
  const errors = chip.manifest.rois.flatMap(roi => {
    const estimate = estimator(frame, roi, 0, Number.POSITIVE_INFINITY);
    const found = finder.find(frame, roi, 0, Number.POSITIVE_INFINITY, estimate);
    return found?.flags.length === 0 ? [found.shift - 8] : [];
  });
  expect(errors.length).toBeGreaterThan(36);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(2);
  expect(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)).toBeLessThan(0.55);
});

it('Fano lines without a pattern are each fitted by themselves: what they have in common would pull them', () => {
  const options = { ...patternedOptions, lineShape: 'fano', pattern: [] } as const;
  const found = shiftAccuracy(options, { chips: 6, frames: 2, bounded: 0, seed: 300 });
  expect(found.position.scatter).toBeLessThan(0.107);
  expect(found.scatter).toBeLessThan(found.difference);
});

it('shifts of lines that went by 64 px: under 1 % of those without a flag are off by more than 2 px, and what is said of the others is true', () => {
  for (const jitter of [0, 0.2]) {
    const stepOf = (_: unknown, frame: number): number => [64, -64][frame];
    const found = shiftAccuracy(
      { ...patternedOptions, jitter },
      { chips: 10, frames: 2, bounded: 0, seed: 64, stepOf },
    );
    const unflagged = found.each.filter(({ flags }) => flags.length === 0);
    expect(unflagged.filter(({ error }) => Math.abs(error) > 2).length).toBeLessThanOrEqual(
      0.01 * unflagged.length + 1,
    );
    const far = found.each.filter(({ flags }) => flags.length === 1 && flags[0] === 'pattern_changed');
    expect(far.length).toBeGreaterThan(300);
    const within = (errors: number): number =>
      far.filter(({ error, uncertainty }) => Math.abs(error) < errors * uncertainty).length / far.length;
    expect(Math.abs(within(1) - 0.68)).toBeLessThan(0.1);
    expect(within(2)).toBeGreaterThan(0.88);
  }
});

it.each(['centre', 'max_intensity'] as const)(
  'shifts of method %s, which has only the difference of positions, have error bars that are not too small after any step',
  method => {
    const estimator = createEstimator({ estimator: 'rows', method, numberOfSubRois: 0 });
    const steps = [0, 2, 5, 8, 15, 30];
    const ratios = steps.map((): number[] => []);
    for (let seed = 700; seed < 710; seed++) {
      const chip = new PatternedChip(seed, 40, patternedOptions);
      const rest = chip.rois.map(({ mean }) => mean);
      const builder = createReferenceBuilder({ rois: chip.manifest, method, estimator, shifts: true, darkLevel: null });
      for (let i = 0; i < 5; i++) builder.add(chip.frame(rest), Number.POSITIVE_INFINITY, chip.manifest);
      const finder = createShiftFinder(builder.finish());
      for (const [k, size] of steps.entries()) {
        const stepOf = (at: number): number => (at < 88 ? size : -size);
        const frame = chip.frame(rest.map(at => at + stepOf(at)));
        for (const [i, roi] of chip.manifest.rois.entries()) {
          const estimate = estimator(frame, roi, 0, Number.POSITIVE_INFINITY);
          const found = finder.find(frame, roi, 0, Number.POSITIVE_INFINITY, estimate);
          if (found !== null) ratios[k].push(Math.abs(found.shift - stepOf(rest[i])) / found.uncertainty);
        }
      }
    }
    for (const each of ratios) {
      expect(each.filter(ratio => ratio < 1).length / each.length).toBeGreaterThan(0.6);
      expect(each.filter(ratio => ratio < 2).length / each.length).toBeGreaterThan(0.88);
    }
  },
);

it.each([
  ['roi', 'gauss', 'gaussian'],
  ['rows', 'gauss', 'gaussian'],
  ['rows', 'gauss', 'centre'],
  ['rows', 'gauss', 'max_intensity'],
  ['roi', 'fano', 'fano'],
] as const)(
  'positions of estimator %s on %s lines, method %s, in 800 ROIs of single frames have true error bars',
  (by, lineShape, method) => {
    const estimator = createEstimator({ estimator: by, method, numberOfSubRois: 0 });
    const ratios: number[] = [];
    for (let seed = 900; seed < 920; seed++) {
      const chip = new PatternedChip(seed, 40, { ...patternedOptions, lineShape });
      const rest = chip.rois.map(({ mean }) => mean);
      const builder = createReferenceBuilder({
        rois: chip.manifest,
        method,
        estimator,
        shifts: false,
        darkLevel: null,
      });
      const frame = chip.frame(rest);
      builder.add(frame, Number.POSITIVE_INFINITY, chip.manifest);
      const finder = createShiftFinder(builder.finish());
      for (const [i, roi] of chip.manifest.rois.entries()) {
        const found = estimator(frame, roi, 0, Number.POSITIVE_INFINITY);
        if (found.position !== null) ratios.push(Math.abs(found.position - rest[i]) / finder.errorOf(roi, found)!);
      }
    }
    expect(Math.abs(ratios.filter(ratio => ratio < 1).length / ratios.length - 0.7)).toBeLessThan(0.1);
    expect(ratios.filter(ratio => ratio < 2).length / ratios.length).toBeGreaterThan(0.9);
  },
);
