import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault, FaultContext } from './fault.ts';
import type { PlanterOptions } from './linkPlanter.ts';

/** Somebody plants for so long, ms. */
const plantingMs = 10_000;
const text = 'canary\n';

/**
 * Another process, which may write to the experiment and to its share, plants links, pipes and second names under every name that it
 * sees or can foretell, while all stages run. What lies outside is never changed, what counts as copied is there and is a
 * file of its own, and nothing is lost.
 */
export const plantedLinks: Fault = {
  name: 'planted_links',
  weight: 1,
  wanted: [1, 20],
  round,
};

async function round(context: FaultContext): Promise<void> {
  const root = await context.folder();
  const share = join(await context.folder(), 'share');
  const outside = await context.folder();
  const canary = join(outside, 'canary');
  writeFileSync(canary, text);
  const storage: StorageOptions = { share, keep: 6, deadlineSeconds: 5 };
  await writeConfig(root, experimentToml({ intervalSeconds: 0.5, storage }));
  const program = new Program(runWords(root), { cwd: root });
  const copied = (): number => program.doneBy('syncer').length;
  await program.until('first copies', () => copied() >= 2);
  const options: PlanterOptions = {
    root,
    share,
    canary,
    dangling: join(outside, 'made-through-a-link'),
    seed: Math.floor(context.random() * 1e9),
  };
  const planter = fork(fileURLToPath(new URL('./linkPlanter.ts', import.meta.url)), [JSON.stringify(options)]);
  await pass(plantingMs);
  planter.send('enough');
  const [counts] = (await once(planter, 'message')) as [Record<string, number>];
  context.say(`planted: ${JSON.stringify(counts)}`);
  const before = copied();
  await program.until('copies afterwards', () => copied() >= before + 2);
  const { entries } = await endOfRun(root, program.doneBy('collector'), [program], context, { storage });
  if (readFileSync(canary, 'utf8') !== text) context.tally.problem('what a link led to was changed');
  if (existsSync(options.dangling)) context.tally.problem('a file was made through a link');
  for (const { entry_id: id, image_synced: isSynced, remote_copy: copy } of entries) {
    if (!isSynced) continue;
    const { path, sha256 } = copy as { path: string; sha256: string };
    const at = join(share, path);
    const isFile = lstatSync(at, { throwIfNoEntry: false })?.isFile() ?? false;
    const is = isFile && createHash('sha256').update(readFileSync(at)).digest('hex');
    if (is !== sha256) context.tally.problem(`${id} counts as copied, and ${at} is not that image`);
  }
  context.tally.count('planted_links');
}
