import { join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Files } from '../files/files.ts';
import type { Liveness } from '../files/processIdentity.ts';
import { readBytes } from '../files/readBytes.ts';
import { leasesFile } from '../manifest/stageLeases.ts';
import type { ProcessIdentity } from '../model/entry.ts';
import type { StageName } from '../model/stage.ts';

export interface Surroundings {
  paths: ResolvedPaths;
  files: Files;
  liveness: (owner: ProcessIdentity) => Liveness;
}

/** Whether any process works on the experiment, as far as the files tell. One on another machine counts: nobody can ask it. */
export async function isPipelineRunning(surroundings: Surroundings): Promise<boolean> {
  const { paths, files, liveness } = surroundings;
  for (const holder of Object.values(await stageHolders(surroundings))) if (liveness(holder) !== 'gone') return true;
  for (const name of await files.list(paths.status)) {
    if (!name.endsWith('.json')) continue;
    const process = await readJson<ProcessIdentity & { state?: string }>(files, join(paths.status, name));
    if (process && process.state !== 'stopped' && liveness(process) !== 'gone') return true;
  }
  return false;
}

/** Who holds the stages of which there is one only. */
export async function stageHolders({
  paths,
  files,
}: Surroundings): Promise<Partial<Record<StageName, ProcessIdentity>>> {
  return (await readJson(files, leasesFile(paths.flags))) ?? {};
}

/** A file that is not there, or is being replaced on a disk that lost it, says nothing. */
async function readJson<T>(files: Files, path: string): Promise<T | null> {
  try {
    return JSON.parse(String(await readBytes(files, path))) as T | null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
