import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { utcIso } from '../model/localTime.ts';
import { shownJson } from '../model/shownText.ts';
import { appendDurably } from '../sinks/appendDurably.ts';
import { fileLock } from '../storage/fileLock.ts';
import { nodeFiles } from '../storage/files.ts';
import { ownIdentity } from '../storage/processIdentity.ts';

/** `logs_dir/audit.jsonl`: what people have changed in an experiment, a line each, never rewritten. */
export function auditFile(logsFolder: string): string {
  return join(logsFolder, 'audit.jsonl');
}

/**
 * Notes who did what, durable when it resolves. The log of events is rolled over and thrown away in the end; this is not.
 *
 * @param now milliseconds since 1970 UTC.
 */
export async function audit(logsFolder: string, now: number, what: Readonly<Record<string, unknown>>): Promise<void> {
  const file = auditFile(logsFolder);
  await nodeFiles.makeFolder(logsFolder);
  const { host, pid } = ownIdentity;
  const line = `${shownJson(JSON.stringify({ time: utcIso(now), user: userName(), host, pid, ...what }))}\n`;
  await fileLock(file)(() =>
    appendDurably(nodeFiles, file, Buffer.from(line), { keep: 'nothing', folder: dirname(file) }),
  );
}

/** A user that the system has no name for (a container's) is told by number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
