import { describe, expect, it } from 'vitest';
import { createRoiEstimator } from '../../../src/analysis/joint/roiEstimator.ts';
import { createEstimator } from '../../../src/analysis/roiPiece.ts';
import { createReferenceBuilder } from '../../../src/analysis/shift/makeReference.ts';
import { differenceError } from '../../../src/analysis/shift/patternErrors.ts';
import { decodeReference, encodeReference, type Reference } from '../../../src/analysis/shift/reference.ts';
import { createShiftFinder, type RoiShift, type ShiftFinder } from '../../../src/analysis/shift/roiShift.ts';
import type { Pixels } from '../../../src/model/frame.ts';
import { PatternedChip, type PatternedOptions, patternedOptions } from './patternedRois.ts';
import { shiftAccuracy } from './shiftAccuracy.ts';

const estimator = createRoiEstimator('gaussian');
const none = Number.POSITIVE_INFINITY;

function referenceOf(
  chip: PatternedChip,
  frames: readonly Pixels[],
  given: { darkLevel?: number; saturation?: number } = {},
): Reference {
  const { darkLevel = null, saturation = none } = given;
  const builder = createReferenceBuilder({
    rois: chip.manifest,
    method: 'gaussian',
    estimator,
    shifts: true,
    darkLevel,
  });
  for (const frame of frames) builder.add(frame, saturation, chip.manifest);
  return builder.finish();
}

const restOf = (chip: PatternedChip): number[] => chip.rois.map(({ mean }) => mean);

function shiftsOf(chip: PatternedChip, from: Reference | ShiftFinder, frame: Pixels): (RoiShift | null)[] {
  const finder = 'find' in from ? from : createShiftFinder(from);
  return chip.manifest.rois.map(roi => finder.find(frame, roi, 0, none, estimator(frame, roi, 0, none)));
}

function chipOf(count: number, options: Partial<PatternedOptions> = {}, seed = 5) {
  const chip = new PatternedChip(seed, count, { ...patternedOptions, ...options });
  const rest = restOf(chip);
  return { chip, rest, frames: Array.from({ length: 5 }, () => chip.frame(rest)) };
}

/** One chip whose reference, the dear part, many tests share: with all frames of it that any of them looks at. */
function stillChip() {
  const { chip, rest, frames } = chipOf(40);
  const moved = (step: number, light = 1): Pixels =>
    chip.frame(
      rest.map(at => at + step),
      light,
    );
  return {
    ...{ chip, rest, frames, reference: referenceOf(chip, frames) },
    ...{ by5: moved(5), back9: moved(-9), dim: moved(0, 0.67), bright: moved(0, 1.4) },
    far: chip.frame(rest.map(() => 150)),
  };
}
let made: ReturnType<typeof stillChip> | null = null;
const still = (): ReturnType<typeof stillChip> => (made ??= stillChip());

describe('the shift on pictures with a static pattern', () => {
  it.each([
    ['that stand still', {}, 1.2, 24],
    ['of a chip that jitters by 0.2 px', { jitter: 0.2 }, 2, 24],
    ['with saturated tops', { fullScale: 900 }, 1.5, 24],
  ] as const)('%s: a step is near its bound, and its error bars are true', (_, changed, limit, rois) => {
    const bound = 0.383;
    const found = shiftAccuracy({ ...patternedOptions, ...changed }, { chips: 1, frames: 3, bounded: 0, rois });
    expect(found.scatter).toBeLessThan(limit * bound);
    expect(found.scatter).toBeLessThan(found.difference / 4);
    expect(found.withinOne).toBeGreaterThan(0.6);
    expect(found.withinOne).toBeLessThan(0.82);
    expect(found.withinTwo).toBeGreaterThan(0.9);
    expect(found.wrong).toBe(0);
    expect(found.missing).toBeLessThan(0.05 * found.count);
  });

  it('of Fano lines likewise, with the sign of the step right', () => {
    // Errors of what the lines of a chip have in common are common to them: within one standard error lie 46 to 84 % on a small chip, and 68 % over chips.
    const found = shiftAccuracy(
      { ...patternedOptions, lineShape: 'fano' },
      { chips: 1, frames: 3, bounded: 6, rois: 20, seed: 2 },
    );
    expect(found.scatter).toBeLessThan(1.2 * found.bound);
    expect(found.withinOne).toBeGreaterThan(0.58);
    expect(found.withinTwo).toBeGreaterThan(0.88);
    expect(found.wrong).toBeLessThan(0.01);
    expect(found.position.scatter).toBeLessThan(1.2 * found.position.bound);
    expect(found.position.withinTwo).toBeGreaterThan(0.88);
  });

  it('without a pattern is no worse than the difference of positions', () => {
    const found = shiftAccuracy({ ...patternedOptions, pattern: [] }, { chips: 1, frames: 3, bounded: 0, rois: 20 });
    expect(found.scatter).toBeLessThan(1.05 * found.difference);
    expect(found.byFlag).toEqual({});
    expect(found.wrong).toBe(0);
  });

  it('the same frame and the same reference give the same bits, whatever came before, read back from a file or not', () => {
    const { chip, reference, by5, back9 } = still();
    const finder = createShiftFinder(reference);
    const first = shiftsOf(chip, finder, by5);
    shiftsOf(chip, finder, back9);
    expect(shiftsOf(chip, finder, by5)).toEqual(first);
    const bytes = encodeReference(reference);
    expect(encodeReference(decodeReference(bytes))).toEqual(bytes);
    expect(shiftsOf(chip, createShiftFinder(decodeReference(bytes)), by5)).toEqual(first);
    expect(bytes.length / 40).toBeLessThan(12_000);
    expect(() => decodeReference(bytes.subarray(0, bytes.length - 100))).toThrow('ends too early');
    expect(() => decodeReference(new Uint8Array(100))).toThrow('not a reference');
  });

  it('the dark level is found from the frames, and counts as it is given', () => {
    const { darkLevel, darkSource } = still().reference;
    expect(darkSource).toBe('estimated');
    expect(Math.abs(darkLevel - 100)).toBeLessThan(8);
    const { chip, frames } = chipOf(1);
    expect(referenceOf(chip, frames, { darkLevel: 97 })).toMatchObject({ darkLevel: 97, darkSource: 'configured' });
  });

  it('light that changes by a third is no shift', () => {
    const { chip, reference, dim, bright } = still();
    for (const frame of [dim, bright]) {
      const shifts = shiftsOf(chip, reference, frame);
      for (const found of shifts) expect(Math.abs(found!.shift)).toBeLessThan(5 * found!.uncertainty);
      expect(Math.max(...shifts.map(found => Math.abs(found!.shift)))).toBeLessThan(0.5);
    }
  });

  it('of a line that went far, or of another pattern, is the difference of positions, and says so', () => {
    const { chip, rest, reference, far } = still();
    for (const [i, found] of shiftsOf(chip, reference, far).entries()) {
      if (found === null || 150 - rest[i] < 4 * chip.rois[i].sigma) continue;
      expect(found.flags).toEqual(['pattern_changed']);
      expect(found.position).toBeNull();
      expect(found.uncertainty).toBeGreaterThan(2);
    }
    const others = new PatternedChip(99, 40, patternedOptions);
    const changed = shiftsOf(chip, reference, others.frame(rest));
    expect(changed.filter(found => found?.flags.includes('pattern_changed')).length).toBeGreaterThan(34);
  });

  it('of a ROI without a line in the reference is not known', () => {
    const { chip, frames } = chipOf(6);
    const dark = frames.map(frame => {
      const data = frame.data.slice();
      data.fill(100, 0, frame.width * 53);
      return { ...frame, data };
    });
    const reference = referenceOf(chip, dark);
    const [first, ...others] = shiftsOf(chip, reference, frames[0]);
    expect(first).toBeNull();
    expect(others).not.toContain(null);
  });

  it('of a line on which dust has settled since is right within its error, or flagged', () => {
    const { chip, rest, reference, by5 } = still();
    const pitch = by5.height / chip.rois.length;
    const data = by5.data.map((value, i) => {
      const row = Math.floor(i / by5.width);
      const roi = Math.floor(row / pitch);
      const apart = Math.hypot((i % by5.width) - rest[roi] - 10, row - roi * pitch - 20);
      return apart < 9 ? Math.round(100 + 0.4 * (value - 100)) : value;
    });
    const found = shiftsOf(chip, reference, { ...by5, data }).filter(each => each?.flags.length === 0);
    expect(found.length).toBeGreaterThan(30);
    const errors = found.map(each => Math.abs(each!.shift - 5));
    expect(Math.max(...errors)).toBeLessThan(2);
    expect(found.filter((each, i) => errors[i] < 2 * each!.uncertainty).length).toBeGreaterThan(0.85 * found.length);
  });

  it('methods that fit no line have the difference of positions', () => {
    const { chip, rest } = chipOf(3, { pattern: [] });
    const position = (at: number) => ({ position: at, uncertainty: 0.5, flags: [], rows: [], rejections: [] });
    let at = 60;
    const builder = createReferenceBuilder({
      rois: chip.manifest,
      method: 'centre',
      estimator: () => position(at),
      shifts: true,
      darkLevel: null,
    });
    const frame = chip.frame(rest);
    for (const next of [60, 61, 62]) {
      at = next;
      builder.add(frame, none, chip.manifest);
    }
    const finder = createShiftFinder(decodeReference(encodeReference(builder.finish())));
    const found = finder.find(frame, chip.manifest.rois[0], 0, none, position(71));
    expect(found).toMatchObject({ shift: 10, position: null, flags: [] });
    expect(found!.uncertainty).toBeCloseTo(Math.hypot(0.5, 1 / Math.sqrt(3)), 6);
    const oneRow = finder.find(frame, chip.manifest.rois[0], 0, none, { ...position(71), uncertainty: null });
    expect(oneRow!.uncertainty).toBeCloseTo(Math.hypot(1, 1) / Math.sqrt(3), 6);
  });

  it('of ROIs that are averaged to one row, which tells no error of its own, is known as of all others', () => {
    const { chip, reference, by5 } = still();
    const oneRow = createEstimator({ estimator: 'rows', method: 'gaussian', numberOfSubRois: 1 });
    const finder = createShiftFinder(reference);
    const alone = chip.manifest.rois.map(roi => oneRow(by5, roi, 0, none));
    expect(alone.filter(({ uncertainty }) => uncertainty !== null)).toEqual([]);
    const found = chip.manifest.rois.map((roi, i) => finder.find(by5, roi, 0, none, alone[i]));
    const errors = found.flatMap(each => (each ? [Math.abs(each.shift - 5) / each.uncertainty] : []));
    expect(errors.length).toBeGreaterThan(0.95 * found.length);
    expect(errors.filter(error => error < 3).length).toBeGreaterThan(0.9 * errors.length);
  });

  it.each([
    ['roi', 'gaussian'],
    ['rows', 'max_intensity'],
    ['rows', 'centre'],
  ] as const)(
    'a position of estimator %s, method %s, that is found in one frame alone has a true error bar',
    (by, method) => {
      const { chip, rest, frames } = still();
      const alone = createEstimator({ estimator: by, method, numberOfSubRois: 0 });
      const builder = createReferenceBuilder({
        rois: chip.manifest,
        method,
        estimator: alone,
        shifts: false,
        darkLevel: null,
      });
      builder.add(frames[0], none, chip.manifest);
      const reference = builder.finish();
      const finder = createShiftFinder(decodeReference(encodeReference(reference)));
      const ratios = chip.manifest.rois.map((roi, i) => {
        const found = alone(frames[1], roi, 0, none);
        expect(finder.find(frames[1], roi, 0, none, found)).toBeNull();
        return Math.abs(found.position! - rest[i]) / finder.errorOf(roi, found)!;
      });
      expect(Math.abs(ratios.filter(ratio => ratio < 1).length / 40 - 0.68)).toBeLessThan(0.17);
      expect(ratios.filter(ratio => ratio < 2).length / 40).toBeGreaterThan(0.84);
    },
  );

  it('of methods that fit no line has the error of a step that is longer by its own error', () => {
    const errors = { position: 0.3, steps: [0, 0.1, 1], differences: [0.1, 0.2, 0.5] };
    expect(differenceError(errors, 0)).toBeCloseTo(0.2, 12);
    expect(differenceError(errors, -0.05)).toBeCloseTo(0.2 + (0.3 * 0.1) / 0.9, 12);
    expect(differenceError(errors, 5)).toBe(0.5);
    expect(differenceError(errors, Number.POSITIVE_INFINITY)).toBe(0.5);
  });

  it('without a pattern, the error bar of a position in one frame stays what the estimator says', () => {
    const { chip, frames } = chipOf(6, { pattern: [] });
    const finder = createShiftFinder(referenceOf(chip, frames));
    for (const roi of chip.manifest.rois) {
      const found = estimator(frames[0], roi, 0, none);
      expect(finder.errorOf(roi, found)).toBe(found.uncertainty);
    }
  });

  it('two peaks whose heights cross are never two honest numbers', () => {
    const { chip, rest } = chipOf(8);
    const twin = (share: number): Pixels => {
      const one = chip.frame(rest);
      const other = chip.frame(rest.map(at => at + (at < 88 ? 75 : -75)));
      const data = one.data.map((value, i) =>
        Math.round(100 + (1 - share) * (value - 100) + share * (other.data[i] - 100)),
      );
      return { ...one, data };
    };
    const reference = referenceOf(chip, [twin(0.2), twin(0.2), twin(0.2)]);
    for (const share of [0.2, 0.35, 0.5, 0.65, 0.8]) {
      const pixels = twin(share);
      const finder = createShiftFinder(reference);
      for (const roi of chip.manifest.rois) {
        const estimate = estimator(pixels, roi, 0, none);
        const found = finder.find(pixels, roi, 0, none, estimate);
        const flags = [...estimate.flags, ...(found?.flags ?? [])];
        if (found !== null && flags.length === 0) expect(Math.abs(found.shift)).toBeLessThan(5);
      }
    }
  });
});
