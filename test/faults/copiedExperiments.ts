import { cp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { untilSettled } from '../program/crashLoop.ts';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { command, patienceMs, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

const deleted = 2;

/** An experiment is copied (`cp -r`), and images are deleted in the copy: the copy says so, and the original stays as it is. */
export const copiedExperiments: Fault = {
  name: 'copied_experiments',
  weight: 1,
  wanted: [2, 30],
  round: async context => {
    const { tally } = context;
    const root = await context.folder();
    const copy = join(await context.folder(), 'copy');
    await writeConfig(root, experimentToml({ intervalSeconds: 0.05 }));
    const program = new Program(runWords(root), { cwd: root });
    await program.untilDone('communicator', 6);
    await writeConfig(root, experimentToml({ camera: false }));
    await program.untilEvent('collector off', event => event.stage === 'collector' && event.state === 'off');
    await untilSettled(root, undefined, patienceMs);
    await program.stop();

    const before = await filesOf(root);
    await cp(root, copy, { recursive: true });
    const images = (await readdir(join(copy, 'data'), { recursive: true })).filter(name => name.endsWith('.png'));
    const gone = images.slice(0, deleted).map(name => join(copy, 'data', name));
    for (const path of gone) await rm(path);
    const told = await command(copy, 'verify', '--json');
    const missing = told.stdout.split('\n').filter(line => gone.some(path => line.includes(JSON.stringify(path))));
    if (told.code !== 1 || missing.length !== deleted)
      tally.problem(
        `verify of a copy without ${gone.join(', ')} ended with ${told.code}: ${told.stdout}${told.stderr}`,
      );
    await command(copy, 'requeue', '--status', 'processed', '--yes');
    const again = new Program(runWords(copy), { cwd: copy });
    await again.untilDone('processor', 3);
    await again.stop();
    const after = await filesOf(root);
    if (after.join() !== before.join()) tally.problem(`work on a copy has changed the original: ${root}`);
    const original = await command(root, 'verify', '--deep');
    if (original.code !== 0) tally.problem(`verify of the original: ${original.stdout}${original.stderr}`);
    tally.count('copied_experiments');
  },
};

/** Every file with its size and time. */
async function filesOf(root: string): Promise<string[]> {
  const files: string[] = [];
  for (const name of (await readdir(root, { recursive: true })).sort()) {
    const { size, mtimeMs, ino } = await stat(join(root, name));
    files.push(`${name} ${ino} ${size} ${mtimeMs}`);
  }
  return files;
}
