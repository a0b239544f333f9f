import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { conservation } from '../program/conservation.ts';
import { untilSettled } from '../program/crashLoop.ts';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { command, patienceMs, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

/** Table, then results, are moved away while they are written: it is said, nothing stops, and nothing is lost once they are back. */
export const movedTables: Fault = {
  name: 'moved_tables',
  weight: 1,
  wanted: [2, 30],
  round: async context => {
    const { tally } = context;
    const root = await context.folder();
    await writeConfig(root, experimentToml({ intervalSeconds: 0.05 }));
    const program = new Program(runWords(root), { cwd: root });
    const table = join(root, 'results', 'communicating_results.csv');
    const results = join(root, 'results', 'processing_results.jsonl');
    await program.untilDone('communicator', 4);
    await rename(table, join(root, 'table.csv'));
    await program.untilEvent('alarm of the table', ({ kind, key }) => kind === 'alarm' && key === 'table');
    await program.untilDone('communicator', program.doneBy('communicator').length + 4);
    const header = (await readFile(table, 'utf8')).split('\n')[0]!;
    if (!header.startsWith('timestamp,'))
      tally.problem(`a table that was moved away goes on without a header: ${header}`);

    await rename(results, join(root, 'results.jsonl'));
    await program.untilEvent('alarm of the results', ({ kind, key }) => kind === 'alarm' && key === 'results_changed');
    await rename(join(root, 'results.jsonl'), results);
    await program.untilDone('communicator', program.doneBy('communicator').length + 4);
    if (!existsSync(join(root, 'results', 'processing_results.1.jsonl')))
      tally.problem('results that were moved away did not go on in a further file');
    const acknowledged = program.doneBy('collector');
    await writeConfig(root, experimentToml({ camera: false }));
    await program.untilEvent('collector off', event => event.stage === 'collector' && event.state === 'off');
    await untilSettled(root, undefined, patienceMs);
    const { code, stderr } = await program.stop();
    if (code !== 0) tally.problem(`a pipeline whose table was moved away ended with ${code}: ${stderr}`);
    const mended = await command(root, 'verify', '--deep', '--repair');
    if (mended.code !== 0) tally.problem(`verify --repair: ${mended.stdout}${mended.stderr}`);
    tally.problem(...(await conservation({ root, acknowledged })).problems);
    tally.count('moved_tables');
  },
};
