import { conservation } from '../program/conservation.ts';
import { untilSettled } from '../program/crashLoop.ts';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import type { FaultContext } from './fault.ts';

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
): Promise<void> {
  await writeConfig(root, experimentToml({ camera: false }));
  await finish(root, programs, tally);
  const last = new Program(runWords(root), { cwd: root });
  await finish(root, [last], tally);
  await checkRoot(root, acknowledged, tally);
}

async function finish(root: string, programs: readonly Program[], tally: FaultContext['tally']): Promise<void> {
  try {
    const [first] = programs as [Program];
    await first.untilEvent('collector off', event => event.stage === 'collector' && event.state === 'off');
    await untilSettled(root);
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
): Promise<void> {
  const { problems, imagesWithoutEntry } = await conservation({ root, acknowledged });
  tally.problem(...problems);
  tally.count('conservation_checks');
  if (imagesWithoutEntry.length > 0) tally.count('orphan_images', imagesWithoutEntry.length);
  const mended = await command(root, 'verify', '--deep', '--repair');
  if (mended.code !== 0) tally.problem(`verify --repair: ${mended.stdout}${mended.stderr}`);
}
