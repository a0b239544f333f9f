import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Ended, Program, running, type StartOptions } from './program.ts';

export { type Ended, type EventLine, launcher, Program, type StartOptions } from './program.ts';

/** Starts the program. What still runs after the test is killed. */
export function phorest(words: readonly string[], options?: StartOptions): Program {
  onTestFinished(endPrograms);
  return new Program(words, options);
}

/** Runs it to its end. */
export function phorestDone(words: readonly string[], options?: StartOptions): Promise<Ended> {
  return phorest(words, options).ended;
}

/** An empty folder that is removed after the test, with whatever still runs then. */
export async function temporaryRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'phorest-'));
  onTestFinished(async () => {
    await endPrograms();
    // A plot's process that was left behind may just be putting its picture there.
    await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  });
  return root;
}

async function endPrograms(): Promise<void> {
  for (const program of [...running]) {
    program.signalGroup('SIGKILL');
    await program.ended;
  }
}
