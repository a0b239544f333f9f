import { describe, expect, it } from 'vitest';
import { killedCamera, killedReplay } from './crashScenarios.ts';

// 40 kills; test/manifest/kill.test.ts adds 20. `npm run test:long` does the same many times more often.
describe('kill -9 at any moment loses nothing and counts nothing twice', () => {
  it('with the simulated camera', { timeout: 240_000 }, async () => {
    const { entries } = await killedCamera(12, 1, 'one');
    expect(entries).toBeGreaterThan(0);
  });

  it('in a replay', { timeout: 240_000 }, async () => {
    const { entries } = await killedReplay(16, 2, 160);
    expect(entries).toBe(160);
  });

  it('with the processor in two processes of its own', { timeout: 240_000 }, async () => {
    const { entries } = await killedCamera(12, 3, 'three');
    expect(entries).toBeGreaterThan(0);
  });
});
