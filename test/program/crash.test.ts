import { describe, expect, it } from 'vitest';
import { killedCamera, killedReplay } from './crashScenarios.ts';

// `npm run test:long` does the same many times more often.
describe('kill -9 at any moment loses nothing and counts nothing twice', () => {
  it('with the simulated camera', { timeout: 60_000 }, async () => {
    const { entries } = await killedCamera(4, 1, 'one');
    expect(entries).toBeGreaterThan(0);
  });

  it('in a replay', { timeout: 60_000 }, async () => {
    const { entries } = await killedReplay(4, 2, 40);
    expect(entries).toBe(40);
  });

  it('with the processor in two processes of its own', { timeout: 60_000 }, async () => {
    const { entries } = await killedCamera(4, 3, 'three');
    expect(entries).toBeGreaterThan(0);
  });
});
