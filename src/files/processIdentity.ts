import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { ProcessIdentity } from '../model/entry.ts';

/** `/proc` as text, or null where there is none (another system) or the process is gone. */
function proc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return null;
  }
}

/** Start time of a process in clock ticks since boot; null when it is gone, 0 where the system does not tell. */
function startTime(pid: number): number | null {
  // A signal to another number goes to a group of processes, or to all.
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  const stat = proc(`${pid}/stat`);
  if (stat !== null) {
    // The second field is the command in brackets and may hold spaces and brackets of its own.
    const afterCommand = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = afterCommand[0];
    return state === 'Z' || state === 'X' ? null : Number(afterCommand[19]);
  }
  if (proc('self/stat') !== null) return null;
  try {
    process.kill(pid, 0);
    return 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 0 : null;
  }
}

/** Whether a pid is one of this machine's processes, whoever wrote it down. */
export const isRunning = (pid: number): boolean => startTime(pid) !== null;

/** A process of this machine that runs. */
export const identityOf = (pid: number): ProcessIdentity => ({
  host: hostname(),
  boot_id: proc('sys/kernel/random/boot_id')?.trim() ?? '',
  pid,
  pid_start: startTime(pid) ?? 0,
});

export const ownIdentity: ProcessIdentity = identityOf(process.pid);

export type Liveness = 'alive' | 'gone' | 'unknown';

/**
 * Whether the process that wrote an identity still runs. A boot id is unique in the world, so an equal one means this
 * machine and this boot; another one on a host of our name is an earlier boot; on another host nobody here can tell.
 */
export function livenessOf(other: ProcessIdentity, own: ProcessIdentity = ownIdentity): Liveness {
  if (other.boot_id !== own.boot_id) return other.host === own.host ? 'gone' : 'unknown';
  const start = startTime(other.pid);
  if (start === null) return 'gone';
  // Where the system tells start times, a living process of ours has written its own.
  return start === other.pid_start || start === 0 ? 'alive' : 'gone';
}

/** Whether a process runs that surely is the one which wrote an identity: of this boot, and of a start time that is known. */
export function isSurely(other: ProcessIdentity, own: ProcessIdentity = ownIdentity): boolean {
  return (
    own.boot_id !== '' &&
    other.boot_id === own.boot_id &&
    other.pid_start > 0 &&
    startTime(other.pid) === other.pid_start
  );
}

/** The same process, not only the same pid. */
export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.boot_id === b.boot_id && a.pid_start === b.pid_start && a.host === b.host;
}

/** The user of this process; one that the system has no name for (a container's) is told by number. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
