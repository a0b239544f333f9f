import { dirname } from 'node:path';
import { ArchiveError } from '../manifest/archive.ts';
import { DamagedManifestError } from '../manifest/entryReader.ts';
import { isSettled } from '../manifest/isSettled.ts';
import { JournalFormatError } from '../manifest/journal.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { isRemoved } from '../manifest/workRules.ts';
import type { Entry } from '../model/entry.ts';
import { counted } from '../model/quantity.ts';
import type { ImageNames } from './imageNames.ts';
import { imageOf, placeOf } from './imageOf.ts';
import type { Inspection } from './inspection.ts';
import type { ShareCheck } from './shareCheck.ts';

/** Images looked for side by side. */
const sideBySide = 32;
/** Decoded images side by side: each may take hundreds of megabytes. */
const decodedSideBySide = 2;

/** Greater than the entries of any group. */
const groupStep = 2 ** 32;

/**
 * Reads every entry into the ledger, and looks whether its image is where it should be.
 *
 * @param names takes the images that entries know.
 * @param share holds the entries against their copies; null where there are none to look at.
 * @returns false when the manifest can't be read: then nothing can be held against it.
 */
export async function checkEntries(
  inspection: Inspection,
  names: ImageNames,
  share: ShareCheck | null,
): Promise<boolean> {
  const { options, ledger, tally } = inspection;
  const { paths, files, liveness } = options;
  /** Folders that are not there, and how many images they should hold. */
  const missingFolders = new Map<string, number>();
  const width = options.decode ? decodedSideBySide : sideBySide;
  /** Images that were not there, by their entry: a running ring buffer may just have removed them. */
  const gone = new Map<string, () => void>();
  let group = 0;
  if (!inspection.isRunning && (await files.stat(paths.manifestFile)) === null) {
    inspection.report('damaged_manifest', paths.manifestFile, 'it is not there');
    inspection.repairs.manifest = true;
    return false;
  }
  try {
    for await (const { entries } of readEntries({
      file: paths.manifestFile,
      files,
      isSettled,
      note: () => undefined,
      onDamage: damage => inspection.lostChanges.push(damage),
    })) {
      let place = 0;
      let batch: Entry[] = [];
      const look = async (): Promise<void> => {
        const reports = batch.map(entry => checkImage(entry, inspection, names, missingFolders, gone));
        // In the order of the entries, whichever was looked at first.
        for (const report of await Promise.all(reports)) report?.();
        batch = [];
      };
      for (const entry of entries) {
        const number = ledger.add(entry, place++ - group * groupStep, liveness);
        if (ledger.isMoving(number)) tally.in_work++;
        else if (ledger.isLeft(number)) tally.left_in_work++;
        await share?.add(entry);
        batch.push(entry);
        if (batch.length === width) await look();
      }
      await look();
      group++;
    }
    await share?.finish();
    if (gone.size > 0) await checkAgain(gone, inspection);
  } catch (error) {
    if (error instanceof ArchiveError) inspection.report('damaged_archive', error.path, error.message);
    else if (error instanceof DamagedManifestError || error instanceof JournalFormatError)
      // What to do follows.
      inspection.report(
        'damaged_manifest',
        paths.manifestFile,
        error instanceof DamagedManifestError ? `it can't be read: ${error.damage}` : error.message,
      );
    else throw error;
    // A newer version's journal is not damaged, and a disk that is away is no loss.
    const isAway = error instanceof ArchiveError && error.isAway;
    inspection.repairs.manifest = !isAway && !(error instanceof JournalFormatError);
    return false;
  }
  for (const [folder, count] of missingFolders)
    inspection.report('missing_folder', folder, `the folder is not there; ${counted(count, 'image')} should be in it`);
  tally.entries = ledger.size;
  return true;
}

/** Returns what says that something is wrong with an entry's image, or null. */
async function checkImage(
  entry: Entry,
  inspection: Inspection,
  names: ImageNames,
  missingFolders: Map<string, number>,
  gone: Map<string, () => void>,
): Promise<(() => void) | null> {
  const { entry_id: id, camera_data: camera } = entry;
  if (!camera) return null;
  const { decode, files, paths } = inspection.options;
  const recorded = await placeOf(camera, inspection.options);
  const { ledger } = inspection;
  if (isRemoved(entry)) {
    ledger.setImageless(ledger.find(id));
    // Somebody may have put it back here: it is known all the same.
    if (recorded !== null) names.add(recorded);
    return null;
  }
  if (recorded === null) {
    const name = JSON.stringify(camera.filename);
    return () => inspection.report('missing_image', paths.manifestFile, `${name} is not a plain file name`, id);
  }
  names.add(recorded);
  const path = await imageOf(entry, inspection.options);
  if (path === null) {
    ledger.setImageless(ledger.find(id));
    const folder = dirname(recorded);
    if (await files.stat(folder)) {
      const report = (): void => inspection.report('missing_image', recorded, 'the image is not there', id);
      if (!inspection.isRunning) return report;
      gone.set(id, report);
      return null;
    }
    missingFolders.set(folder, (missingFolders.get(folder) ?? 0) + 1);
    return null;
  }
  names.add(path);
  inspection.tally.images++;
  // An original that was empty when it was imported has failed for that, which is all that there is to say.
  const isReportedFailure = camera.original && entry.processing_status === 'failed';
  if (!isReportedFailure && (await files.stat(path))?.size === 0)
    return () => inspection.report('empty_image', path, 'the image has 0 bytes', id);
  if (!decode) return null;
  return decode(path).then(
    () => null,
    async (error: Error) => {
      const report = (): void => inspection.report('unreadable_image', path, error.message, id);
      if (!inspection.isRunning || (await files.stat(path))) return report;
      gone.set(id, report);
      return null;
    },
  );
}

/** Tells of the images that are still not there, by what the manifest says now: others were removed, or compressed, meanwhile. */
async function checkAgain(gone: ReadonlyMap<string, () => void>, { options }: Inspection): Promise<void> {
  const { paths, files } = options;
  for await (const { entries } of readEntries({ file: paths.manifestFile, files, isSettled, note: () => undefined })) {
    for (const entry of entries) {
      const report = gone.get(entry.entry_id);
      // What the ring buffer has in hand may be gone, and not yet be said to be.
      if (!report || isRemoved(entry) || entry.claims.ring_buffer) continue;
      if ((await imageOf(entry, options)) === null) report();
    }
  }
}
