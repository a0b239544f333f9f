import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

const damages: readonly ((bytes: Buffer, random: () => number) => Buffer)[] = [
  () => Buffer.alloc(0),
  bytes => Buffer.alloc(bytes.length),
  (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length)),
  bytes => Buffer.from(bytes).fill(0, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2)),
  bytes => Buffer.from(bytes.map(byte => byte ^ 0x55)),
];

/** Kills, and what a failing disk makes of the manifest or its newest journal: the next start rebuilds it and goes on. */
export const damagedManifests: Fault = {
  name: 'damaged_manifests',
  weight: 1,
  wanted: [3, 60],
  round: async context => {
    const { tally, random } = context;
    const root = await context.folder();
    await writeConfig(root, experimentToml({ intervalSeconds: 0.05 }));
    const acknowledged: string[] = [];
    for (const damage of damages) {
      const program = new Program(runWords(root), { cwd: root });
      await program.untilDone('communicator', 3);
      program.signalGroup('SIGKILL');
      await program.ended;
      // An entry that waits still has its image, which gets another.
      acknowledged.push(...program.doneBy('processor'));
      const file = join(root, 'data', 'metadata_manifest.json');
      await writeFile(file, damage(await readFile(file), random));
      tally.count('damaged_manifests');
    }
    const last = new Program(runWords(root), { cwd: root });
    await last.untilEvent('word of it', ({ kind, key }) => kind === 'alarm' && key === 'manifest_rebuilt');
    await last.untilDone('communicator', 3);
    const kept = (await readdir(join(root, 'data'))).filter(name => name.includes('.damaged-'));
    if (kept.length < damages.length)
      tally.problem(`of ${damages.length} damaged manifests only ${kept.join(', ')} are kept`);
    await endOfRun(root, [...acknowledged, ...last.doneBy('processor')], [last], context);
  },
};
