import { dirname, join } from 'node:path';
import { removeFile } from './durableNames.ts';
import type { Files } from './files.ts';

/** As `writeAtomic` names them: `<file>.<pid>-<random>.tmp`. */
const temporary = /\.(\d+)-[0-9a-f]{8}\.tmp$/;
/** On a disk that may be shared, a file that was touched within this time may be being written by a process on another machine, ms. */
const youngMs = 60_000;

/**
 * Removes what writers that were killed have left in a folder. Files of processes that live are left alone.
 *
 * @param isAlive whether a pid is one of this machine's processes.
 * @param now milliseconds since 1970 UTC.
 */
export async function removeTemporaries(
  files: Files,
  folder: string,
  isAlive: (pid: number) => boolean,
  now: number,
): Promise<void> {
  for (const name of await files.list(folder)) {
    const pid = temporary.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(folder, name);
    if (await isAbandoned(files, path, now)) await removeFile(files, path);
  }
}

/**
 * Whether a temporary file of a process that does not live on this machine is surely nobody's. After a power cut it may be a few
 * seconds old.
 */
export async function isAbandoned(files: Files, path: string, now: number): Promise<boolean> {
  const stat = await files.stat(path);
  if (!stat) return false;
  return (await files.nameHabit(dirname(path))) !== 'unknown' || Math.abs(now - stat.mtimeMs) > youngMs;
}
