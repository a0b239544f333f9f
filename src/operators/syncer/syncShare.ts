import { resolve } from 'node:path';
import type { Files } from '../../files/files.ts';
import { utcIso } from '../../model/localTime.ts';
import type { Share, Shares } from '../../share/share.ts';
import { ShareError } from '../../share/shareError.ts';
import { readMarker } from '../../share/shareMarker.ts';
import { ShareRecord } from '../../share/shareRecord.ts';
import type { Tools } from '../stage/experiment.ts';
import type { SyncPlace } from './syncFiles.ts';
import { SyncLedger } from './syncLedger.ts';

export interface SyncShareSettings {
  /** `remote_root_dir`, absolute. */
  remoteRoot: string;
  /** `flag_dir`, absolute. */
  flagsFolder: string;
  /** To and from the share; 0: no limit. */
  bytesPerSecond: number;
  /** A call to the share that shows no progress for so long hangs, ms. */
  deadlineMs: number;
}

/** What a share is opened with, besides its settings. */
export interface SyncShareDeps {
  files: Files;
  shares: Shares;
  tools: Pick<Tools, 'clock' | 'newId'>;
  /** What shall be copied to it. */
  places: readonly SyncPlace[];
}

/**
 * Opens the share, makes sure that it is the one that was used before, and reads what was copied to it. Whoever calls it closes
 * the share; when it rejects, that is done.
 */
export async function syncShare(
  { remoteRoot, flagsFolder, bytesPerSecond, deadlineMs }: SyncShareSettings,
  { files, shares, tools, places }: SyncShareDeps,
  signal: AbortSignal,
): Promise<{ share: Share; ledger: SyncLedger }> {
  const share = shares.open({ root: remoteRoot, bytesPerSecond, deadlineMs });
  try {
    const record = new ShareRecord(flagsFolder, files);
    const known = await record.known(remoteRoot);
    const id = await share.call('enter', { known, fresh: tools.newId() }, signal);
    for (const place of places) await checkApart(place, id, remoteRoot, files);
    if (known === null) await record.remember(remoteRoot, id, utcIso(tools.clock.now()));
    return { share, ledger: await SyncLedger.open(flagsFolder, id, files) };
  } catch (error) {
    await share.close();
    throw error;
  }
}

/**
 * A file that is its own copy would count as copied, and the only one could be deleted. The marker tells, whatever links or
 * mounts lie between: it must not stand where the share would have to begin for that.
 */
async function checkApart({ local, remote }: SyncPlace, id: string, remoteRoot: string, files: Files): Promise<void> {
  const begin = resolve(local, ...remote.split('/').map(() => '..'));
  if ((await readMarker(begin, files)) !== id) return;
  throw new ShareError(`${remoteRoot} is where ${local} is itself: set Paths.remote_root_dir to another folder`, {
    code: 'ESHAREITSELF',
    path: remoteRoot,
  });
}
