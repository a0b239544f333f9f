import { spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { withAccessHint } from '../files/accessHint.ts';
import { makeFolder, trimPlace } from '../files/durableNames.ts';
import { nodeFiles, openItself } from '../files/files.ts';
import { ExperimentReserve, withReserve } from '../files/reserveFile.ts';
import type { CommandContext } from './commandDefinition.ts';
import { launcher, sameExperiment } from './commandLine.ts';
import { exitCodes } from './exitCodes.ts';
import type { StartReport, StartWait } from './startReport.ts';

export interface StartOptions {
  stages?: string;
  takeOver?: true;
}

/** So long a start may take before the command ends without knowing, ms. */
export const startPatienceMs = 30_000;

/**
 * For a process that runs for weeks: what is young may take this much memory a thread, MB. Without it V8 lets it grow to 96 MB in each
 * thread at a high rate of frames; the analysis is no slower.
 */
export const nodeFlags = ['--max-semi-space-size=8'];

/** What a process in the background prints, and what Node says when it dies. Begun anew beyond this many bytes. */
const outputFile = 'background-output.txt';
const largestOutput = 2 ** 20;

export interface Launched {
  pid: number;
  report: StartReport | { kind: 'slow' };
}

/**
 * Starts a command that runs a pipeline as a process of its own session, that outlives this one and its terminal. Resolves when it is up,
 * has failed, or has said nothing for `patienceMs` (`slow`: it goes on trying). That it waits for somebody is printed.
 */
export async function launch(
  context: CommandContext,
  paths: ResolvedPaths,
  words: readonly string[],
  patienceMs: number,
): Promise<Launched> {
  const printed = join(paths.logs, outputFile);
  const log = await openOutput(printed, paths).catch((error: Error) => {
    context.output.error(`what the process prints is lost: ${withAccessHint(error)}`);
    return null;
  });
  try {
    const child = spawn(process.execPath, [...nodeFlags, launcher, ...sameExperiment(context), ...words], {
      cwd: context.cwd,
      env: context.environment,
      detached: true,
      stdio: ['ignore', log?.fd ?? 'ignore', log?.fd ?? 'ignore', 'ipc'],
    });
    const report = await new Promise<Launched['report']>(resolve => {
      const timer = setTimeout(() => resolve({ kind: 'slow' }), patienceMs);
      const give = (answer: Launched['report']): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      child.on('message', message => {
        const answer = message as StartReport | StartWait;
        if (answer.kind !== 'waiting') return give(answer);
        context.output.line(answer.message);
        timer.refresh();
      });
      child.once('error', ({ message }) => give({ kind: 'failed', code: exitCodes.failed, message }));
      child.once('exit', (code, signal) => {
        const ended = (): void =>
          give({
            kind: 'failed',
            code: exitCodes.failed,
            message: `the process ended at once (${signal ?? `exit code ${code}`}); ${printed} has what it said`,
          });
        // What it said last may still be on its way.
        if (child.connected) child.once('disconnect', ended);
        else ended();
      });
    });
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
    return { pid: child.pid ?? 0, report };
  } finally {
    await log?.close();
  }
}

/** The pipeline matters more than what it prints: whoever can't open it starts without. */
async function openOutput(file: string, paths: ResolvedPaths): Promise<FileHandle> {
  return withReserve(new ExperimentReserve(nodeFiles, paths).file, async () => {
    await makeFolder(nodeFiles, paths.logs);
    await trimPlace(nodeFiles, file);
    const opened = await openItself(file, 'a');
    // Nothing was opened that is not a file of its own, so this cuts no other.
    if ((await opened.stat()).size > largestOutput) await opened.truncate(0);
    return opened;
  });
}
