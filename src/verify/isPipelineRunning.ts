import { join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Files } from '../files/files.ts';
import type { Liveness } from '../files/processIdentity.ts';
import { leasesFile, readHolders } from '../manifest/stageLeases.ts';
import type { ProcessIdentity } from '../model/entry.ts';
import { readProcessStatus } from '../sinks/status/readProcessStatus.ts';

export interface Surroundings {
  paths: ResolvedPaths;
  files: Files;
  liveness: (owner: ProcessIdentity) => Liveness;
}

/** Whether any process works on the experiment, as far as the files tell. One on another machine counts: nobody can ask it. */
export async function isPipelineRunning({ paths, files, liveness }: Surroundings): Promise<boolean> {
  for (const holder of Object.values(await readHolders(leasesFile(paths.flags), files)))
    if (liveness(holder) !== 'gone') return true;
  for (const name of await files.list(paths.status)) {
    if (!name.endsWith('.json')) continue;
    const process = await readProcessStatus(files, join(paths.status, name));
    if (process && process.state !== 'stopped' && liveness(process) !== 'gone') return true;
  }
  return false;
}
