import { resolve } from 'node:path';
import type { Files } from '../../files/files.ts';
import { keepCopy } from '../../manifest/keepCopy.ts';
import { utcIso } from '../../model/localTime.ts';
import type { Share } from '../../share/share.ts';
import { ShareError } from '../../share/shareError.ts';
import { readMarker } from '../../share/shareMarker.ts';
import { damagedRecord, ShareRecord } from '../../share/shareRecord.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { SyncPlace } from './syncFiles.ts';
import { SyncLedger } from './syncLedger.ts';

export interface ShareSettings {
  /** `remote_root_dir`, absolute. */
  remoteRoot: string;
  /** `flag_dir`, absolute. */
  flagsFolder: string;
  /** Files and folders besides the images, the most wanted first. */
  places: readonly SyncPlace[];
  /** To and from the share; 0: no limit. */
  bytesPerSecond: number;
  /** A call to the share that shows no progress for so long hangs, ms. */
  deadlineMs: number;
  /** Do not read back what was written. */
  trustWrite: boolean;
}

/**
 * Opens the share, makes sure that it is the one that was used before, and reads what was copied to it. Whoever calls it closes
 * the share; when it rejects, that is done.
 */
export async function openShare(
  settings: ShareSettings,
  experiment: Pick<Experiment, 'tools' | 'files' | 'shares' | 'note'>,
  signal: AbortSignal,
): Promise<{ share: Share; ledger: SyncLedger }> {
  const { remoteRoot, flagsFolder, places, bytesPerSecond, deadlineMs, trustWrite } = settings;
  const { files, shares, tools, note } = experiment;
  const share = shares.open({ root: remoteRoot, bytesPerSecond, deadlineMs, trustWrite });
  try {
    const record = new ShareRecord(flagsFolder, files);
    const { known, isDamaged } = await knownShare(record, settings, files);
    const id = await share.call('enter', { known, fresh: tools.newId() }, signal);
    for (const place of places) await checkApart(place, id, remoteRoot, files);
    const kept = isDamaged ? await keepCopy(files, record.path, 'damaged') : null;
    if (isDamaged || known === null) await record.remember(remoteRoot, id, utcIso(tools.clock.now()));
    if (kept !== null) {
      const whose = `${remoteRoot}, which has the marker of the share that was used last`;
      note('warning', `${record.path} was damaged: it is made anew for ${whose}; the damaged one is kept as ${kept}`);
    }
    return { share, ledger: await SyncLedger.open(flagsFolder, id, files) };
  } catch (error) {
    await share.close();
    throw error;
  }
}

/**
 * The id of the share, null at the first use. Where the record is damaged the ledger says to which share copies went last: if its
 * marker stands there, it is that one. Else nobody knows, and it must not be taken for a first use.
 */
async function knownShare(
  record: ShareRecord,
  { remoteRoot, flagsFolder }: ShareSettings,
  files: Files,
): Promise<{ known: string | null; isDamaged: boolean }> {
  try {
    return { known: await record.known(remoteRoot), isDamaged: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== damagedRecord) throw error;
    const known = await SyncLedger.lastShare(flagsFolder, files);
    if (known === null) throw error;
    return { known, isDamaged: true };
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
