import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { isSurely, sameProcess } from '../files/processIdentity.ts';
import { leasesFile, readHolders } from '../manifest/stageLeases.ts';
import type { ProcessIdentity } from '../model/entry.ts';

/** Where to look. Other folders than the system's own are for tests. */
export interface ProcessPlaces {
  paths: Pick<ResolvedPaths, 'root' | 'data' | 'results' | 'logs' | 'flags'>;
  /** The user that asks. */
  uid: number;
  /** `/proc`. */
  proc?: string;
}

/**
 * Why a process that a status file names is not to be signalled; null when it surely is a phorest of this experiment. Whoever may
 * write to the folder of flags could name any process, and the one who stops the experiment may be root.
 *
 * The file must belong to root, to who asks, or to who runs the process; the process must be the one of that start time, be a phorest
 * by its command line, and have a file of this experiment open, or hold a stage of it.
 */
export async function whyNotOurs(
  identity: ProcessIdentity,
  file: string,
  places: ProcessPlaces,
): Promise<string | null> {
  const { paths, uid, proc = '/proc' } = places;
  const folder = join(proc, String(identity.pid));
  const runner = ask(() => statSync(folder));
  if (!isSurely(identity)) {
    return `${file} names process ${identity.pid} with a start time that is not that process's: nothing tells whether it is a phorest`;
  }
  const because = trustOf(file, [0, uid, ...(runner ? [runner.uid] : [])]);
  if (because !== null) return because;
  if (!isPhorest(ask(() => readFileSync(join(folder, 'cmdline'), 'utf8')) ?? '')) {
    return `${file} names process ${identity.pid}, which is no phorest`;
  }
  if (hasOpen(folder, paths) || (await holdsStage(identity, places))) return null;
  return `${file} names process ${identity.pid}, which is a phorest but has nothing of ${paths.root} open: it is another experiment's`;
}

/** Why a file is not believed; null when one of these users has written it. */
function trustOf(file: string, users: readonly number[]): string | null {
  const found: Stats | null = ask(() => lstatSync(file));
  if (!found?.isFile()) return `${file} is no file of its own`;
  return users.includes(found.uid)
    ? null
    : `${file} belongs to user ${found.uid}, who may not say which process is stopped`;
}

/** `node …/phorest.js background`, or `phorest` as npm links it. */
function isPhorest(commandLine: string): boolean {
  return commandLine.split('\0').some(word => ['phorest', 'phorest.js'].includes(basename(word)));
}

/** The log and the journal stay open while a pipeline runs. */
function hasOpen(folder: string, paths: ProcessPlaces['paths']): boolean {
  const own = [paths.flags, paths.logs, paths.data, paths.results].flatMap(path => ask(() => realpathSync(path)) ?? []);
  const open = ask(() => readdirSync(join(folder, 'fd'))) ?? [];
  return open.some(fd => {
    const path = ask(() => readlinkSync(join(folder, 'fd', fd)));
    return path !== null && own.some(one => path.startsWith(one + sep));
  });
}

async function holdsStage(identity: ProcessIdentity, { paths, uid }: ProcessPlaces): Promise<boolean> {
  const file = leasesFile(paths.flags);
  if (trustOf(file, [0, uid]) !== null) return false;
  const holders = await readHolders(file);
  return Object.values(holders).some(holder => holder && sameProcess(holder, identity));
}

/** What the system does not tell, or not this user, is not known. */
function ask<T>(question: () => T): T | null {
  try {
    return question();
  } catch {
    return null;
  }
}
