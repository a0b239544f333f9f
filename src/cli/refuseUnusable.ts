import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { folderTrouble } from '../files/folderTrouble.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/**
 * Before anything is made: whether the folders of an experiment can be written to at all.
 * @throws ExitError `usage` for a folder that never can be, `failed` for one that may come right, such as a mount that is late.
 */
export async function refuseUnusable(folders: readonly string[]): Promise<void> {
  for (const folder of new Set(folders)) {
    const trouble = await folderTrouble(folder);
    if (trouble)
      throw new ExitError(trouble.isPermanent ? exitCodes.usage : exitCodes.failed, `${folder} ${trouble.reason}`);
  }
}

/** The folders that every pipeline writes to. */
export const writtenFolders = ({ root, data, results, logs, flags }: ResolvedPaths): string[] => [
  root,
  data,
  results,
  logs,
  flags,
];
