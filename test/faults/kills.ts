import { crashLoop } from '../program/crashLoop.ts';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

/** Kills of one experiment. */
const killsARound = 10;

/** `kill -9` at random moments of a pipeline with all stages, in two processes that share the work. */
export const kills: Fault = {
  name: 'kills',
  weight: 5,
  wanted: [60, 500],
  round: async context => {
    const { random, tally, wanted } = context;
    const root = await context.folder();
    await writeConfig(root, experimentToml({ intervalSeconds: 0.05 }));
    const slots = [runWords(root), runWords(root, '--stages', 'processor')];
    const loop = await crashLoop({ root, slots, kills: Math.min(killsARound, wanted), random });
    for (const count of Object.values(loop.moments)) tally.count('kills', count);
    await endOfRun(root, loop.acknowledged, loop.programs, context);
  },
};
