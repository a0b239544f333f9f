import { describe, expect, it } from 'vitest';
import { killedCamera, killedReplay } from './crashScenarios.ts';

// A few kills; `npm run test:faults` does 60 in CI with all stages, `npm run test:long` 500, the pipeline in one process too.
describe('kill -9 at any moment loses nothing and counts nothing twice', () => {
  it('with the simulated camera, and the processor in two processes of its own', { timeout: 240_000 }, async () => {
    const { entries } = await killedCamera(4, 3, 'three');
    expect(entries).toBeGreaterThan(0);
  });

  it('in a replay', { timeout: 240_000 }, async () => {
    const { entries } = await killedReplay(3, 2, 30);
    expect(entries).toBe(30);
  });
});
