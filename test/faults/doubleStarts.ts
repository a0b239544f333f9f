import { join } from 'node:path';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

/** Exit code of one that finds the stages taken. */
const alreadyRunning = 3;

/** Two pipelines started on one folder at the same moment: one runs, the other is refused and touches nothing. */
export const doubleStarts: Fault = {
  name: 'double_starts',
  weight: 1,
  wanted: [3, 50],
  round: async context => {
    const { tally } = context;
    const root = await context.folder();
    const storage: StorageOptions = { share: join(await context.folder(), 'share'), keep: 20 };
    await writeConfig(root, experimentToml({ intervalSeconds: 0.05, storage }));
    const programs = [0, 1].map(() => new Program(runWords(root), { cwd: root }));
    const refused = await Promise.race(programs.map(async program => ({ program, code: (await program.ended).code })));
    if (refused.code !== alreadyRunning) tally.problem(`of two starts one ended with ${refused.code}, not with 3`);
    const runner = programs.find(program => program !== refused.program)!;
    await runner.untilDone('communicator', 2);
    tally.count('double_starts');
    const acknowledged = programs.flatMap(program => program.doneBy('collector'));
    await endOfRun(root, acknowledged, [runner], context, { storage });
  },
};
