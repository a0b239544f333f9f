import { readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { isSurely } from '../files/processIdentity.ts';
import type { ProcessIdentity } from '../model/entry.ts';

/**
 * The experiment of a process that runs a pipeline: by the folder that it was given, else by the journal that it has open. Null: the system does
 * not tell, or not this user. @param folder of the process, as `/proc/17`
 */
export const rootOfProcess = (folder: string): string | null => givenRoot(folder) ?? rootOfJournal(folder);

/** The experiment that a process surely runs in place of the one in `root`: that is a copy then, made while the process ran. Null: none is known. */
export function otherRootOf(process: ProcessIdentity, root: string, proc = '/proc'): string | null {
  const other = isSurely(process) ? rootOfProcess(join(proc, String(process.pid))) : null;
  const [theirs, ours] = [other, root].map(path => ask((): Stats | null => (path === null ? null : statSync(path))));
  // One folder may have two names, by a link or a mount.
  return theirs && ours && (theirs.dev !== ours.dev || theirs.ino !== ours.ino) ? other : null;
}

function givenRoot(folder: string): string | null {
  const words = ask(() => readFileSync(join(folder, 'cmdline'), 'utf8').split('\0')) ?? [];
  const cwd = ask(() => readlinkSync(join(folder, 'cwd')));
  const at = words.indexOf('--root');
  const root = at < 0 ? undefined : words[at + 1];
  if (!words.some(word => word === 'background' || word === 'run') || root === undefined || cwd === null) return null;
  return resolve(cwd, root);
}

const journal = `${sep}data${sep}metadata_manifest`;

function rootOfJournal(folder: string): string | null {
  const fds = join(folder, 'fd');
  for (const fd of namesIn(fds)) {
    const path = ask(() => readlinkSync(join(fds, fd)));
    if (path?.includes(journal)) return dirname(path.slice(0, path.lastIndexOf(journal) + `${sep}data`.length));
  }
  return null;
}

/** What the system does not tell, or not this user, is not known. */
export function ask<T>(question: () => T): T | null {
  try {
    return question();
  } catch {
    return null;
  }
}

export const namesIn = (folder: string): string[] => ask(() => readdirSync(folder)) ?? [];
