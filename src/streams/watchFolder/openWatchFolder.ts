import { dirname, relative, resolve } from 'node:path';
import { makeFolder } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { CallGate, filesWithDeadline } from '../../files/filesWithDeadline.ts';
import { linuxDevices } from '../../files/mountedDevice.ts';
import { comesOverNetwork, mountAt } from '../../files/networkMount.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import { counted } from '../../model/quantity.ts';
import { SourceError } from '../folder/sourceError.ts';
import { rootOf } from './watchedTree.ts';
import { WatchFolder, type WatchFolderDeps, type WatchFolderOptions } from './watchFolder.ts';
import { readWatchRecord, type WatchRecord, watchRecordFile, writeWatchRecord } from './watchRecord.ts';

/** So long a call may take, ms: a share that is slow answers, one that hangs does not. */
export const watchDeadlineMs = 30_000;

/** The default folder lies in the experiment, where nobody has made it yet: it is made. */
export const liesInExperiment = (folder: string, flags: string): boolean =>
  !relative(dirname(flags), folder).startsWith('..');

/**
 * Opens the folder that `camera_type = "watch_folder"` names. What is there the first time is left out, and remembered as such.
 *
 * @throws SourceError when the folder is not there, or can't be read; DamagedJsonError for a record that is damaged.
 */
export async function openWatchFolder(options: WatchFolderOptions, deps: WatchFolderDeps): Promise<FrameSource> {
  const { flags, watch } = options;
  const folder = resolve(options.folder);
  const gate = deps.gate ?? new CallGate(watchDeadlineMs);
  const files = filesWithDeadline(deps.files, gate, () => true);
  const mountInfo = deps.mountInfo ?? linuxDevices.mountInfo;
  const recordFile = flags === null ? null : watchRecordFile(flags, folder);
  const record = recordFile === null ? null : await readRecord(recordFile, folder, deps.files);
  const mustBeMounted = (was: string | null): void => {
    if (recordFile !== null) mustBeAt(was, folder, recordFile, mountInfo);
  };
  mustBeMounted(record?.mount_point ?? null);
  if (flags !== null && liesInExperiment(folder, flags) && (await files.stat(folder)) === null)
    await makeFolder(deps.files, folder);
  await rootOf(folder, files);
  const mount = mountAt((await files.realPath?.(folder)) ?? folder, mountInfo);
  const mountPoint = record ? record.mount_point : (mount?.mountPoint ?? null);
  const source = new WatchFolder(options, deps, {
    folder,
    files,
    gate,
    isDistant: mount !== null && comesOverNetwork(mount),
    mustBeMounted: () => mustBeMounted(mountPoint),
  });
  const present = watch.take_existing ? [] : (record?.present ?? (await source.presentIds()));
  source.leaveOut(present);
  if (record === null && recordFile !== null) {
    await writeWatchRecord(recordFile, { folder, mount_point: mountPoint, present }, deps.files);
    if (present.length > 0)
      deps.note({
        level: 'info',
        message: `${folder}: ${counted(present.length, 'image was', 'images were')} there before and ${present.length === 1 ? 'is' : 'are'} left out; Watch_Folder.take_existing = true takes them in`,
      });
  }
  return source;
}

function readRecord(recordFile: string, folder: string, files: Files): Promise<WatchRecord | null> {
  return readWatchRecord(recordFile, files).catch((error: Error) => {
    const hint = 'remove it to begin anew: what is in the folder then is left out';
    throw new Error(`${error.message}. It says which images were in ${folder} before; ${hint}`, { cause: error });
  });
}

/** A pulled disk leaves its mount point behind, as an empty folder. @param was where it was mounted @throws SourceError */
function mustBeAt(was: string | null, folder: string, recordFile: string, mountInfo: () => string): void {
  if (was === null || !folder.startsWith(was)) return;
  const now = mountAt(folder, mountInfo);
  if (now === null || now.mountPoint.length >= was.length) return;
  throw new SourceError(
    'not_found',
    `${folder}: nothing is mounted at ${was}, where the disk or share of this folder was: plug it in or mount it. If the folder is meant as it is now, remove ${recordFile}`,
  );
}
