import { describe, expect, test } from 'vitest';
import { createRoiEstimator } from '../../src/analysis/joint/roiEstimator.ts';
import { type RoiAccuracy, roiAccuracy } from '../analysis/roiAccuracy.ts';
import { RoiSimulator } from '../analysis/simulatedRois.ts';

const conditions = ['normal', 'low_signal', 'dust', 'saturated', 'edge'] as const;

describe.each([
  ['gaussian', 'gauss', 1.15],
  ['fano', 'fano', 1.25],
] as const)('100,000 ROIs of %s lines', (method, lineShape, limit) => {
  test.each(conditions)('20,000 %s', condition => {
    const simulator = new RoiSimulator({ seed: 101, lineShape });
    const found: RoiAccuracy = roiAccuracy(simulator, createRoiEstimator(method), condition, 20_000, 100);
    expect(found.worstUnflagged).toBeLessThan(5);
    if (condition !== 'normal') return;
    expect(found.scatter / found.bound).toBeLessThan(limit);
    expect(Math.abs(found.bias)).toBeLessThan(0.05);
    expect(Math.abs(found.withinOne - 0.6827)).toBeLessThan(0.02);
    expect(Math.abs(found.withinTwo - 0.9545)).toBeLessThan(0.015);
    expect(found.missing).toBe(0);
    expect(found.flagged).toBeLessThan(0.02);
  });
});
