import { describe, it } from 'vitest';
import { type CrashReport, killedCamera, killedReplay } from '../program/crashScenarios.ts';

/** `PHOREST_KILLS` and `PHOREST_SEED` repeat or vary a run. */
const kills = Number(process.env.PHOREST_KILLS ?? 500);
const seed = Number(process.env.PHOREST_SEED ?? 1);

const tell = (report: CrashReport): void => void process.stderr.write(`${JSON.stringify(report)}\n`);

describe(`${kills} × kill -9 at any moment loses nothing and counts nothing twice (seed ${seed})`, () => {
  it('with the simulated camera', { timeout: 1_800_000 }, async () => {
    tell(await killedCamera(Math.ceil(kills * 0.5), seed, 'one'));
  });

  it('in a replay', { timeout: 1_800_000 }, async () => {
    tell(await killedReplay(Math.ceil(kills * 0.2), seed + 1, kills * 3));
  });

  it('with the processor in two processes of its own', { timeout: 1_800_000 }, async () => {
    tell(await killedCamera(Math.ceil(kills * 0.3), seed + 2, 'three'));
  });
});
