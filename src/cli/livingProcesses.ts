import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { nodeFiles } from '../files/files.ts';
import { livenessOf, ownIdentity } from '../files/processIdentity.ts';
import type { ProcessStatus } from '../model/status.ts';
import { readProcessStatus } from '../sinks/status/readProcessStatus.ts';

/** A process on another machine shows a sign of life about once a second, and at least once in so long, ms. */
const signOfLifeMs = 3_000;
const pollEveryMs = 250;

/** What one process of the pipeline says of itself. */
export interface LivingProcess {
  status: ProcessStatus;
  /** That says so. */
  file: string;
  /** On another machine: it can't be asked whether it lives, nor be sent a signal. */
  elsewhere: boolean;
}

/** The processes of an experiment that run now, by their status files; on other machines those that show a sign of life. Oldest first. */
export async function livingProcesses(statusFolder: string): Promise<LivingProcess[]> {
  return (await surveyProcesses(statusFolder)).living;
}

/** States of a collector in which its camera is closed. */
const closedStates: readonly string[] = ['off', 'paused', 'stopped'];

/** The process of an experiment whose collector uses the camera now; null: none does. */
export async function cameraUser(statusFolder: string): Promise<LivingProcess | null> {
  const isOpen = ({ status: { stages } }: LivingProcess): boolean =>
    stages.collector !== undefined && !closedStates.includes(stages.collector.state);
  return (await livingProcesses(statusFolder)).find(isOpen) ?? null;
}

/**
 * The living ones, and apart from them those that were not stopped, that nobody here can ask, and that are silent. It may take as long as
 * they get to show a sign of life.
 */
export async function surveyProcesses(
  statusFolder: string,
): Promise<{ living: LivingProcess[]; silent: ProcessStatus[] }> {
  const names = (await namesIn(statusFolder)).filter(name => name.endsWith('.json'));
  const living: LivingProcess[] = [];
  let silent: Omit<LivingProcess, 'elsewhere'>[] = [];
  for (const name of names) {
    const file = join(statusFolder, name);
    const status = await readProcessStatus(nodeFiles, file);
    if (!status || (status.pid === ownIdentity.pid && livenessOf(status) === 'alive')) continue;
    const liveness = livenessOf(status);
    if (liveness === 'alive') living.push({ status, file, elsewhere: false });
    else if (liveness === 'unknown' && status.state !== 'stopped') silent.push({ file, status });
  }
  const begun = performance.now();
  // By this machine's clock alone: another's may be wrong, or this one's, after its disk was moved.
  while (silent.length > 0 && performance.now() - begun < signOfLifeMs) {
    await wait(pollEveryMs);
    const still: typeof silent = [];
    for (const each of silent) {
      const now = await readProcessStatus(nodeFiles, each.file);
      if (now && now.heartbeat !== each.status.heartbeat)
        living.push({ status: now, file: each.file, elsewhere: true });
      else still.push(each);
    }
    silent = still;
  }
  living.sort((a, b) => a.status.started.localeCompare(b.status.started));
  return { living, silent: silent.map(({ status }) => status) };
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
