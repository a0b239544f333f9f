import { type Conservation, conservation } from '../program/conservation.ts';
import { untilSettled } from '../program/crashLoop.ts';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import type { FaultContext } from './fault.ts';

/** So long nothing may be finished before what is left counts as stuck, ms: a machine that others use stands still for a while. */
export const patienceMs = 60_000;

/** Command line of a pipeline whose events can be read. */
export const runWords = (root: string, ...more: readonly string[]): string[] => [
  '--root',
  root,
  'run',
  '--log-format',
  'json',
  ...more,
];

/** Runs a command to its end. */
export function command(root: string, ...words: readonly string[]) {
  return new Program(['--root', root, ...words], { cwd: root }).ended;
}

/**
 * The end of every run: the camera goes off, and the pipelines must be alive and finish what there is; then they are
 * stopped, and another is started, which finishes what was recorded while they stopped (a frame that a full disk had not
 * taken). Afterwards all must be true that the conservation check and `verify` ask for. What a kill may leave, `--repair` must
 * mend.
 *
 * @param programs still running; the first has all stages.
 */
export async function endOfRun(
  root: string,
  acknowledged: Iterable<string>,
  programs: readonly Program[],
  { tally }: FaultContext,
  { storage, env }: EndOptions = {},
): Promise<Conservation> {
  await writeConfig(root, experimentToml({ camera: false, ...(storage && { storage }) }));
  await finish(root, programs, tally, storage);
  const last = new Program(runWords(root), { cwd: root, ...(env && { env }) });
  await finish(root, [last], tally, storage);
  return checkRoot(root, acknowledged, tally, storage);
}

export interface EndOptions {
  /** Of the experiment, where these stages are on. */
  storage?: StorageOptions | undefined;
  /** Of the last program. */
  env?: NodeJS.ProcessEnv;
}

async function finish(
  root: string,
  programs: readonly Program[],
  tally: FaultContext['tally'],
  storage?: StorageOptions,
): Promise<void> {
  try {
    const [first] = programs as [Program];
    await first.untilEvent('collector off', event => event.stage === 'collector' && event.state === 'off');
    await untilSettled(root, storage, patienceMs);
    for (const program of programs) {
      await program.untilEvent('running stage', event => event.state === 'running');
      const { code, stderr } = await program.stop();
      if (code !== 0) tally.problem(`a pipeline did not end by itself but with ${code}: ${stderr}`);
    }
  } catch (error) {
    tally.problem((error as Error).message);
    for (const program of programs) program.signalGroup('SIGKILL');
    await Promise.all(programs.map(program => program.ended));
  }
}

/** Conservation, and `verify` after a repair. Nothing runs. */
export async function checkRoot(
  root: string,
  acknowledged: Iterable<string>,
  tally: FaultContext['tally'],
  storage?: StorageOptions,
): Promise<Conservation> {
  const checked = await conservation({ root, acknowledged, storage });
  const { problems, imagesWithoutEntry } = checked;
  tally.problem(...problems);
  tally.count('conservation_checks');
  if (imagesWithoutEntry.length > 0) tally.count('orphan_images', imagesWithoutEntry.length);
  const mended = await command(root, 'verify', '--deep', '--repair');
  if (mended.code !== 0) tally.problem(`verify --repair: ${mended.stdout}${mended.stderr}`);
  return checked;
}
