import { describe, expect, it } from 'vitest';
import { killedCamera, killedReplay } from './crashScenarios.ts';

// A few kills of each kind; `npm run test:faults` does 60 of them in CI, `npm run test:long` 500.
describe('kill -9 at any moment loses nothing and counts nothing twice', () => {
  it('with the simulated camera', { timeout: 240_000 }, async () => {
    const { entries } = await killedCamera(3, 1, 'one');
    expect(entries).toBeGreaterThan(0);
  });

  it('in a replay', { timeout: 240_000 }, async () => {
    const { entries } = await killedReplay(3, 2, 30);
    expect(entries).toBe(30);
  });

  it('with the processor in two processes of its own', { timeout: 240_000 }, async () => {
    const { entries } = await killedCamera(3, 3, 'three');
    expect(entries).toBeGreaterThan(0);
  });
});
