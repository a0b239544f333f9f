import { hostname, userInfo } from 'node:os';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { fileLock } from '../files/fileLock.ts';
import { nodeFiles } from '../files/files.ts';
import { ExperimentReserve } from '../files/reserveFile.ts';
import { systemClock } from '../model/clock.ts';
import { utcIso } from '../model/localTime.ts';
import { stageNames } from '../model/stageName.ts';
import { acknowledge, acknowledgedFile } from '../streams/alarms/acknowledgements.ts';

/** Notes that this user has seen an alarm. @param since ms since 1970 UTC. @throws Error when there is no such stage, or it can't be written */
export async function acknowledgeAlarm(
  paths: ResolvedPaths,
  { stage, key, since }: { stage: string; key: string; since: number },
): Promise<void> {
  const name = stageNames.find(each => each === stage);
  if (name === undefined) throw new Error(`there is no stage ${stage}`);
  const reserve = new ExperimentReserve(nodeFiles, paths);
  const path = acknowledgedFile(paths.flags);
  const by = `${userInfo().username} on ${hostname()}`;
  const one = { stage: name, key, since: utcIso(since), at: utcIso(systemClock.now()), by };
  await acknowledge(path, one, { files: reserve.files(), exclusive: reserve.lock(path, fileLock(path)) });
}
