import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { linuxDevices } from '../files/mountedDevice.ts';
import type { ListedExperiment } from '../model/listedExperiment.ts';
import type { StatusReading } from '../model/status.ts';
import { readStatusOnce } from '../streams/status/statusReading.ts';
import { forgetExperiment, isOver, type RegistryEntry, readRegistry } from './experimentRegistry.ts';
import { namesIn, rootOfProcess } from './rootOfProcess.ts';
import { isPhorest } from './whyNotOurs.ts';

export interface ListPlaces {
  environment: Readonly<Record<string, string | undefined>>;
  /** `/proc`. */
  proc?: string;
  /** Text of the table of mounts. */
  mountInfo?: () => string;
  /** ms since 1970. */
  now?: number;
  /** A disk that does not answer is waited for so long, ms. */
  patienceMs?: number;
}

/**
 * The experiments of this machine: those that this user has started, and those that run now, whoever has started them. What runs comes
 * first. Folders that this user may not read are left out. What is gone for long, and what was temporary, is forgotten.
 */
export async function listExperiments({
  environment,
  proc = '/proc',
  mountInfo = linuxDevices.mountInfo,
  now = Date.now(),
  patienceMs = 4_000,
}: ListPlaces): Promise<ListedExperiment[]> {
  const entries = await readRegistry(environment);
  const known = new Set(entries.map(({ root }) => root));
  const strangers = runningRoots(proc).filter(({ root }) => !known.has(root));
  const asked = [...entries, ...strangers].map(async entry => {
    const silent = listed(entry, 'silent', null);
    return Promise.race([look(entry), wait(patienceMs, silent, { ref: false })]);
  });
  const looked = (await Promise.all(asked)).filter(each => each !== null);
  const isGone = new Set(looked.flatMap(({ state, root }) => (state === 'gone' ? [root] : [])));
  const over = new Set(
    entries.filter(entry => isGone.has(entry.root) && isOver(entry, now, mountInfo)).map(({ root }) => root),
  );
  // Of another user, or a folder that may not be written: it is left out all the same.
  await Promise.allSettled([...over].map(root => forgetExperiment(environment, root)));
  const found = looked.filter(({ root }) => !over.has(root));
  const rank = ({ state }: ListedExperiment): number => (state === 'running' ? 0 : state === 'gone' ? 2 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** What is known of an experiment before its status is read; of one that only runs, less. */
type Known = Pick<RegistryEntry, 'root' | 'status_file' | 'kind'> & {
  [key in 'started' | 'config_file' | 'cwd']: string | null;
};

/** Null: it is not for this user. */
async function look(entry: Known): Promise<ListedExperiment | null> {
  try {
    await access(entry.root, constants.R_OK | constants.X_OK);
  } catch (error) {
    return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
      ? null
      : listed(entry, 'gone', null);
  }
  const reading = await readStatusOnce(entry.status_file);
  return listed(entry, reading.connection, reading);
}

function listed(
  { root, kind, started, config_file, cwd }: Known,
  state: ListedExperiment['state'],
  reading: StatusReading | null,
): ListedExperiment {
  const status = reading?.status ?? null;
  return {
    root,
    kind,
    state,
    started: status?.started ?? started,
    heartbeat: status?.heartbeat ?? null,
    pid: state === 'running' ? (status?.pid ?? null) : null,
    // A replay that went on was partly read before.
    frames: status?.replay?.read ?? status?.stages.collector?.done ?? null,
    alarms: state === 'running' ? (status?.alarms.length ?? 0) : 0,
    configFile: config_file,
    cwd,
  };
}

/** The experiments of the processes that run: by the folder that they were given, else by the journal that they have open. */
function runningRoots(proc: string): Known[] {
  const roots = new Map<string, Known>();
  for (const name of namesIn(proc)) {
    if (!/^\d+$/.test(name)) continue;
    const folder = join(proc, name);
    if (!isPhorest(folder)) continue;
    const root = rootOfProcess(folder);
    if (root === null) continue;
    roots.set(root, {
      root,
      kind: 'experiment',
      status_file: join(root, 'flags', 'pipeline_status.json'),
      started: null,
      config_file: null,
      cwd: null,
    });
  }
  return [...roots.values()];
}
