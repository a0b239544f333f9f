import { dirname, join } from 'node:path';
import type { ResolvedPaths } from '../../config/resolvePaths.ts';
import { appendDurably } from '../../files/appendDurably.ts';
import { makeFolder } from '../../files/durableNames.ts';
import { fileLock } from '../../files/fileLock.ts';
import { type Files, nodeFiles } from '../../files/files.ts';
import { ownIdentity, userName } from '../../files/processIdentity.ts';
import { ExperimentReserve } from '../../files/reserveFile.ts';
import { utcIso } from '../../model/localTime.ts';
import { shownJson } from '../../model/shownText.ts';

/** `logs_dir/audit.jsonl`: what people have changed in an experiment, and when it ran, a line each, never rewritten. */
export function auditFile(logsFolder: string): string {
  return join(logsFolder, 'audit.jsonl');
}

/**
 * Notes who did what, durable when it resolves with true. The log of events is rolled over and thrown away in the end; this is not. What was done
 * stands, so that what can't be noted is said, and is no error.
 *
 * @param now milliseconds since 1970 UTC.
 * @param onError told why it can't be noted.
 * @param files those of the experiment: nothing is written while its disk is away
 */
export async function audit(
  paths: ResolvedPaths,
  now: number,
  what: Readonly<Record<string, unknown>>,
  onError: (message: string) => void,
  files: Files = nodeFiles,
): Promise<boolean> {
  try {
    await note(paths, now, what, files);
    return true;
  } catch (error) {
    onError(`what was done can't be noted in ${auditFile(paths.logs)}: ${(error as Error).message}`);
    return false;
  }
}

async function note(
  paths: ResolvedPaths,
  now: number,
  what: Readonly<Record<string, unknown>>,
  own: Files,
): Promise<void> {
  const file = auditFile(paths.logs);
  const reserve = new ExperimentReserve(own, paths);
  const files = reserve.files();
  await makeFolder(files, paths.logs);
  const { host, pid } = ownIdentity;
  const line = `${shownJson(JSON.stringify({ time: utcIso(now), user: userName(), host, pid, ...what }))}\n`;
  await reserve.lock(
    file,
    fileLock(file),
  )(() => appendDurably(files, file, Buffer.from(line), { keep: 'nothing', folder: dirname(file) }));
}
