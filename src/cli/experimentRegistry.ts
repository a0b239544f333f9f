import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { makeFolder, removeFile } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { linuxDevices, nearestThere } from '../files/mountedDevice.ts';
import { mountAt } from '../files/networkMount.ts';
import { readValidJson } from '../files/readJson.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { systemClock } from '../model/clock.ts';
import type { ListedExperiment } from '../model/listedExperiment.ts';
import { parseIso, utcIso } from '../model/localTime.ts';
import { stateFolder, stateFolders } from './stateFolder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `~/.local/state/phorest/experiments/<hash of the folder>.json`: an experiment that this user has started on this machine. */
const entrySchema = z.object({
  root: z.string(),
  kind: z.enum(['experiment', 'replay']),
  status_file: z.string(),
  config_file: z.string(),
  /** Working directory of the start. */
  cwd: z.string(),
  /** UTC, of the last start. */
  started: z.string(),
  /** The disk that it was on; absent where the system did not tell, and in an entry of an earlier version. */
  disk: z.object({ mount_point: z.string(), source: z.string(), type: z.string() }).optional(),
});

export type RegistryEntry = z.infer<typeof entrySchema>;

const registryOf = (folder: string): string => join(folder, 'experiments');
const entryFile = (folder: string, root: string): string =>
  join(registryOf(folder), `${createHash('sha256').update(root).digest('hex').slice(0, 16)}.json`);

export interface NotedExperiment {
  environment: Environment;
  paths: Pick<ResolvedPaths, 'root' | 'pipelineStatusFile'>;
  kind: ListedExperiment['kind'];
  /** Absolute. */
  configFile: string;
  cwd: string;
}

/**
 * Notes that a pipeline has started in a folder. Each experiment has a file of its own, so that processes which start at once do not wait for
 * each other. The user's own folder may hang or be read-only: nobody should wait for this. Never rejects.
 */
export async function noteExperiment(
  { environment, paths, kind, configFile, cwd }: NotedExperiment,
  onError: (message: string) => void,
): Promise<void> {
  const { root, pipelineStatusFile } = paths;
  const entry: RegistryEntry = {
    root,
    kind,
    status_file: pipelineStatusFile,
    config_file: configFile,
    cwd,
    started: utcIso(systemClock.now()),
    ...(await diskAt(root)),
  };
  const path = entryFile(stateFolder(environment), root);
  try {
    await makeFolder(nodeFiles, registryOf(stateFolder(environment)));
    await writeAtomic(nodeFiles, path, `${JSON.stringify(entry)}\n`);
  } catch (error) {
    onError(`${path} can't be written (${(error as Error).message}): "phorest ls" does not list ${root} after its end`);
  }
}

async function diskAt(root: string): Promise<Pick<RegistryEntry, 'disk'>> {
  try {
    const mount = mountAt(await nearestThere(root, linuxDevices), linuxDevices.mountInfo);
    return mount ? { disk: { mount_point: mount.mountPoint, source: mount.source, type: mount.type } } : {};
  } catch {
    return {};
  }
}

/** An experiment whose folder is gone stays on the list for so long since its last start, days: when its disk is there, and when it is not. */
const keptDays = { there: 30, away: 365 };
/** What was here is not meant to last. */
const temporary = /^\/(?:tmp|var\/tmp|dev\/shm)\//;

/**
 * Whether an experiment whose folder is gone is on the list no more: it was temporary, or is gone for long. What may be on a disk that is not plugged in
 * stays longer.
 */
export function isOver({ root, started, disk }: RegistryEntry, now: number, mountInfo: () => string): boolean {
  if (disk?.type === 'tmpfs' || temporary.test(root)) return true;
  const isThere = disk !== undefined && mountAt(disk.mount_point, mountInfo)?.source === disk.source;
  return now - parseIso(started) > keptDays[isThere ? 'there' : 'away'] * 86_400_000;
}

/** Every experiment that this user has started here, the last started first; through sudo also those of the user who asked. */
export async function readRegistry(environment: Environment): Promise<RegistryEntry[]> {
  const entries = new Map<string, RegistryEntry>();
  for (const folder of await stateFolders(environment)) {
    for (const name of await namesIn(registryOf(folder))) {
      if (!name.endsWith('.json')) continue;
      // Damaged, or of another user: it is one of the ways to find an experiment.
      const entry = await readValidJson(nodeFiles, join(registryOf(folder), name), entrySchema).catch(() => null);
      const known = entry && entries.get(entry.root);
      if (entry && !(known && known.started >= entry.started)) entries.set(entry.root, entry);
    }
  }
  return [...entries.values()].sort((a, b) => b.started.localeCompare(a.started) || a.root.localeCompare(b.root));
}

/** Takes an experiment off the list; its folder stays as it is. Resolves with false when it was not on it. */
export async function forgetExperiment(environment: Environment, root: string): Promise<boolean> {
  let found = false;
  for (const folder of await stateFolders(environment)) {
    const path = entryFile(folder, root);
    const known = await readValidJson(nodeFiles, path, entrySchema).catch(() => null);
    if (!known) continue;
    await removeFile(nodeFiles, path);
    found = true;
  }
  return found;
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
