import { describe, expect, it } from 'vitest';
import { patternedOptions } from '../analysis/shift/patternedRois.ts';
import { shiftAccuracy } from '../analysis/shift/shiftAccuracy.ts';

describe.each([
  ['that stand still', {}],
  ['of a chip that jitters by 0.2 px', { jitter: 0.2 }],
] as const)('2,000 ROIs with a static pattern, on pictures %s', (_, changed) => {
  it('have true error bars of their shifts, and of their positions in the reference', () => {
    const found = shiftAccuracy({ ...patternedOptions, ...changed }, { chips: 50, frames: 1, bounded: 0, seed: 2001 });
    expect(found.count).toBe(2000);
    for (const { withinOne, withinTwo } of [found, found.position]) {
      expect(Math.abs(withinOne - 0.68)).toBeLessThan(0.04);
      expect(Math.abs(withinTwo - 0.95)).toBeLessThan(0.025);
    }
    expect(found.wrong).toBeLessThan(0.01);
    expect(found.missing).toBeLessThan(0.02 * found.count);
  });
});
