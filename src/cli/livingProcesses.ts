import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIso } from '../model/localTime.ts';
import type { ProcessStatus } from '../model/status.ts';
import { livenessOf, ownIdentity } from '../storage/processIdentity.ts';

/** A process on another machine that has said nothing for so long does not run any more, ms. */
const silentMs = 60_000;

/** What one process of the pipeline says of itself. */
export interface LivingProcess {
  status: ProcessStatus;
  /** On another machine: it can't be asked whether it lives, nor be sent a signal. */
  elsewhere: boolean;
}

/** The processes of an experiment that run now, by their status files; on other machines those that may. Oldest first. */
export async function livingProcesses(statusFolder: string): Promise<LivingProcess[]> {
  const names = await readdir(statusFolder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found: LivingProcess[] = [];
  for (const name of names.filter(name => name.endsWith('.json'))) {
    const status = await readStatus(join(statusFolder, name));
    if (!status || (status.pid === ownIdentity.pid && livenessOf(status) === 'alive')) continue;
    const liveness = livenessOf(status);
    if (liveness === 'gone') continue;
    const silent = !(Date.now() - parseIso(status.heartbeat) < silentMs);
    if (liveness === 'unknown' && (status.state === 'stopped' || silent)) continue;
    found.push({ status, elsewhere: liveness === 'unknown' });
  }
  return found.sort((a, b) => a.status.started.localeCompare(b.status.started));
}

/** The status as it is now; null when its file is gone or being replaced. */
export async function readStatus(path: string): Promise<ProcessStatus | null> {
  try {
    const status = JSON.parse(await readFile(path, 'utf8')) as ProcessStatus | null;
    return typeof status?.pid === 'number' && typeof status.stages === 'object' && status.stages !== null
      ? status
      : null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}
