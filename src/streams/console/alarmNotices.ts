import { join } from 'node:path';
import type { Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import type { AlarmNotice } from '../../model/alarm.ts';
import type { LogLine } from '../../model/logLine.ts';
import { isLog } from './logReader.ts';
import { readLogLine } from './readLogLine.ts';

export interface AlarmNoticesOptions {
  /** Folder of the log files, absolute. Need not be there. */
  readonly folder: string;
  readonly files: Files;
  /** So many are enough. */
  readonly most?: number;
  /** So much of the log is looked through, bytes: weeks of a healthy experiment, minutes of one that fails at every frame. */
  readonly mostBytes?: number;
  /** Read at a time, bytes. */
  readonly windowBytes?: number;
}

const marks = ['"kind":"alarm"', '"kind":"well"'];
const newline = 0x0a;

/**
 * What the log says of alarms, from its end backwards, newest first: as many as are asked for, in parts as they are found. A reader who
 * has enough stops. Rejects with the file system's error.
 */
export async function* alarmNotices({
  folder,
  files,
  most = 500,
  mostBytes = 256 << 20,
  windowBytes = 1 << 20,
}: AlarmNoticesOptions): AsyncGenerator<readonly AlarmNotice[]> {
  let found = 0;
  let left = mostBytes;
  for (const { path, size } of await newestFirst(folder, files)) {
    /** Begin of a line whose end was read with the window before. */
    let rest = Buffer.alloc(0);
    for (let end = size; end > 0 && found < most && left > 0; end -= windowBytes) {
      const bytes = await readBytes(files, path, Math.max(0, end - windowBytes), end).catch(goneIsEmpty);
      left -= bytes.length;
      const whole = Buffer.concat([bytes, rest]);
      const first = end > windowBytes ? whole.indexOf(newline) + 1 : 0;
      rest = Buffer.from(whole.subarray(0, first));
      const notices = noticesIn(whole.subarray(first));
      found += notices.length;
      if (notices.length > 0) yield notices;
    }
  }
}

/** Removed since the folder was listed. */
function goneIsEmpty(error: NodeJS.ErrnoException): Buffer {
  if (error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}

async function newestFirst(folder: string, files: Files): Promise<{ path: string; size: number }[]> {
  const found: { path: string; size: number; mtimeMs: number }[] = [];
  for (const name of await files.list(folder)) {
    const path = join(folder, name);
    const stat = isLog(name, 'phorest') ? await files.stat(path) : null;
    if (stat && !stat.isFolder) found.push({ path, size: stat.size, mtimeMs: stat.mtimeMs });
  }
  return found.sort((a, b) => b.mtimeMs - a.mtimeMs);
}

/** Most of a log says nothing of alarms: it is not even taken apart. */
function noticesIn(bytes: Buffer): AlarmNotice[] {
  if (!marks.some(mark => bytes.includes(mark))) return [];
  return bytes
    .toString()
    .split('\n')
    .filter(line => marks.some(mark => line.includes(mark)))
    .map(readLogLine)
    .flatMap(line => (line ? noticeOf(line) : []))
    .reverse();
}

/** What a line of the log says of an alarm; nothing for most. */
export function noticeOf({ at, source, alarm }: LogLine): AlarmNotice[] {
  return alarm ? [{ at, stage: source, ...alarm }] : [];
}
