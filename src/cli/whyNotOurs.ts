import { lstatSync, readFileSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { isSurely, sameProcess } from '../files/processIdentity.ts';
import { leasesFile, readHolders } from '../manifest/stageLeases.ts';
import type { ProcessIdentity } from '../model/entry.ts';
import { ask, namesIn, otherRootOf } from './rootOfProcess.ts';

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
 * The file must belong to root, to who asks, or to who runs the process. On a disk without owners that proves nothing, so the rest is
 * enough by itself: the process must be the one of that start time, be a Node that runs phorest, and have a file of this experiment open;
 * or hold a stage of it, where all its folders are links.
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
  if (!isPhorest(folder)) {
    return `${file} names process ${identity.pid}, which is no phorest`;
  }
  const own = ownFolders(paths);
  if (hasOpen(folder, own)) return null;
  // A disk without owners lets anybody write the leases: they count where nothing else can be asked.
  if (own.length === 0 && (await holdsStage(identity, places))) return null;
  const other = otherRootOf(identity, paths.root, proc);
  return other === null
    ? `${file} names process ${identity.pid}, which is a phorest but has nothing of ${paths.root} open: it is another experiment's`
    : `process ${identity.pid} runs ${other}: it is another experiment's, and ${paths.root} is a copy that was made while it ran`;
}

/** Why a file is not believed; null when one of these users has written it. */
function trustOf(file: string, users: readonly number[]): string | null {
  const found: Stats | null = ask(() => lstatSync(file));
  if (!found?.isFile()) return `${file} is no file of its own`;
  return users.includes(found.uid)
    ? null
    : `${file} belongs to user ${found.uid}, who may not say which process is stopped`;
}

/**
 * `node …/phorest.js background`, or `phorest` as npm links it: a Node whose program is a launcher of phorest. The word alone, as
 * anybody's argument, proves nothing.
 */
export function isPhorest(folder: string): boolean {
  const exe = ask(() => readlinkSync(join(folder, 'exe')))?.replace(/ \(deleted\)$/, '');
  if (exe === undefined || !/^node(js)?(-?\d+)?$/.test(basename(exe))) return false;
  const [, ...words] = (ask(() => readFileSync(join(folder, 'cmdline'), 'utf8')) ?? '').split('\0');
  const program = words.find(word => !word.startsWith('-'));
  const cwd = ask(() => readlinkSync(join(folder, 'cwd')));
  if (program === undefined || cwd === null) return false;
  return basename(ask(() => realpathSync(resolve(cwd, program))) ?? program) === 'phorest.js';
}

/** The folders of this experiment that no link below its root leads to: one may lead to another experiment's. */
function ownFolders({ root, flags, logs, data, results }: ProcessPlaces['paths']): string[] {
  const realRoot = ask(() => realpathSync(root)) ?? root;
  return [flags, logs, data, results].flatMap(path => {
    const real = ask(() => realpathSync(path));
    const way = relative(root, path);
    const isBelow = way !== '..' && !way.startsWith(`..${sep}`);
    const plain = join(realRoot, way);
    // Where nothing stands any more, no link leads elsewhere; and a process that has files of it open has them still, deleted.
    if (real === null) return isBelow ? [plain] : [];
    return isBelow && real !== plain ? [] : [real];
  });
}

/** The log and the journal stay open while a pipeline runs. */
function hasOpen(folder: string, own: readonly string[]): boolean {
  return namesIn(join(folder, 'fd')).some(fd => {
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
