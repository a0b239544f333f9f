import { readFileSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbandoned } from '../../files/runTool.ts';
import { CameraError } from './cameraFaults.ts';

export interface Holder {
  pid: number;
  /** The program, as the kernel knows it. */
  name: string;
}

/**
 * The processes that have a file of these open, by their descriptors. Those of other users are seen only by root.
 * @param paths as `realpath` gives them: `/dev/video0`
 */
export async function deviceHolders(paths: readonly string[], proc = '/proc'): Promise<Holder[]> {
  const pids = (await readdir(proc).catch(() => [])).filter(name => /^\d+$/.test(name));
  const holders: Holder[] = [];
  for (const pid of pids) {
    const folder = join(proc, pid, 'fd');
    const files = await readdir(folder).catch(() => []);
    const targets = await Promise.all(files.map(file => readlink(join(folder, file)).catch(() => '')));
    if (!targets.some(target => paths.includes(target))) continue;
    const name = await readFile(join(proc, pid, 'comm'), 'utf8').catch(() => '');
    holders.push({ pid: Number(pid), name: name.trim() });
  }
  return holders;
}

/**
 * The error of a camera; of one that is busy with the processes that hold its device. One that was left by a run which was killed is
 * ended: it would keep the camera for good.
 * @param shown the paths, as a person would name them; the words of a camera may name none
 */
export async function namingHolders(
  error: unknown,
  paths: readonly string[],
  shown = paths.join(' ') || '/dev/video*',
): Promise<unknown> {
  if (!(error instanceof CameraError) || error.code !== 'camera_busy') return error;
  const holders = await deviceHolders(paths);
  const ended = holders.filter(endAbandoned);
  const who = holders.map(({ pid, name }) => `process ${pid} (${name})`).join(', ');
  const held =
    who === '' ? `no process that this user may see holds it (sudo fuser -v ${shown} says which)` : `${who} holds it`;
  if (ended.length < holders.length || who === '')
    return new CameraError(error.code, error.answer, `${error.message}; ${held}`, error);
  const why = 'a run that was killed has left it, and it was ended now';
  return new CameraError(error.code, 'retry', `${error.message}; ${held}: ${why}`, error);
}

/** Ends a program that an earlier process of ours has started and could not end. @returns whether it was one */
function endAbandoned({ pid }: Holder): boolean {
  try {
    if (!isAbandoned(readFileSync(`/proc/${pid}/environ`, 'utf8'))) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    // It is another user's, or has ended in this moment.
    return false;
  }
}
