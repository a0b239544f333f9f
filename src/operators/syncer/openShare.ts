import { resolve } from 'node:path';
import { setAside } from '../../manifest/setAside.ts';
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

type ShareExperiment = Pick<Experiment, 'tools' | 'files' | 'shares' | 'note'>;

/**
 * Opens the share, makes sure that it is the one that was used before, and reads what was copied to it. Whoever calls it closes
 * the share; when it rejects, that is done.
 */
export async function openShare(
  settings: ShareSettings,
  experiment: ShareExperiment,
  signal: AbortSignal,
): Promise<{ share: Share; ledger: SyncLedger }> {
  const { remoteRoot, flagsFolder, places, bytesPerSecond, deadlineMs, trustWrite } = settings;
  const { files, shares, tools } = experiment;
  const share = shares.open({ root: remoteRoot, bytesPerSecond, deadlineMs, trustWrite });
  try {
    const record = new ShareRecord(flagsFolder, files);
    const { known, isRemembered } = await knownShare(record, settings, experiment);
    const id = await share.call('enter', { known, fresh: tools.newId() }, signal);
    for (const place of places) await checkApart(place, id, settings, experiment);
    if (!isRemembered) await remember(record, id, known !== null, settings, experiment);
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
  { files }: ShareExperiment,
): Promise<{ known: string | null; isRemembered: boolean }> {
  try {
    const known = await record.known(remoteRoot);
    return { known, isRemembered: known !== null };
  } catch (error) {
    const last = await SyncLedger.lastShare(flagsFolder, files);
    if ((error as NodeJS.ErrnoException).code !== damagedRecord || last === null) throw error;
    return { known: last, isRemembered: false };
  }
}

async function remember(
  record: ShareRecord,
  id: string,
  isDamaged: boolean,
  { remoteRoot }: ShareSettings,
  { files, tools, note }: ShareExperiment,
): Promise<void> {
  const copy = isDamaged ? await setAside(files, record.path, 'damaged') : null;
  await record.remember(remoteRoot, id, utcIso(tools.clock.now()));
  if (copy === null) return;
  note(
    'warning',
    `${record.path} was damaged: it is made anew for ${remoteRoot}, which has the marker of the share that was used last; the damaged one is kept as ${copy}`,
  );
}

/**
 * A file that is its own copy would count as copied, and the only one could be deleted. The marker tells, whatever links or
 * mounts lie between: it must not stand where the share would have to begin for that.
 */
async function checkApart(
  { local, remote }: SyncPlace,
  id: string,
  { remoteRoot }: ShareSettings,
  { files }: ShareExperiment,
): Promise<void> {
  const begin = resolve(local, ...remote.split('/').map(() => '..'));
  if ((await readMarker(begin, files)) !== id) return;
  throw new ShareError(`${remoteRoot} is where ${local} is itself: set Paths.remote_root_dir to another folder`, {
    code: 'ESHAREITSELF',
    path: remoteRoot,
  });
}
