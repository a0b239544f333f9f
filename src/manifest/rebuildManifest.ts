import { basename, dirname, join } from 'node:path';
import { removeFile } from '../files/durableNames.ts';
import type { Files } from '../files/files.ts';
import type { Entry } from '../model/entry.ts';
import { counted } from '../model/quantity.ts';
import type { ResultLine } from '../model/result.ts';
import { archiveFolder, archiveSegments, readSegment, unmovedSegments } from './archive.ts';
import { ArchiveError } from './archiveError.ts';
import type { EntryReaderOptions } from './entryReader.ts';
import { journalPath, listJournals } from './journal.ts';
import { journalFormat } from './journalLine.ts';
import { JournalWriter } from './journalWriter.ts';
import { keepCopy } from './keepCopy.ts';
import { MovedSegments } from './movedSegments.ts';
import { type Salvaged, salvageManifest } from './salvageManifest.ts';
import { writeSnapshot } from './snapshot.ts';

/** What is left of a manifest. */
export interface Remains extends Salvaged {
  /** Each archived entry of the segments that can be read, oldest first; one may come twice, the later counts. */
  archived: () => AsyncIterable<Entry>;
  /** What was made up to this local time (ISO, to the second) may stand in segments on a disk that is away; null: none is. */
  awayUntil: string | null;
}

export interface Recovered {
  /** All live entries, in order of collection. */
  entries: Iterable<Entry>;
  /** What was found where, in words. */
  summary: string;
}

/** What tells whether the entry of a result is lost. */
export type LostResult = Pick<ResultLine, 'entry_id' | 'image_filename'>;

/** The other files of the experiment, as far as they tell of entries. */
export interface RecoverySource {
  /** Where segments of the archive were moved to, if any were. */
  backupFolder: string;
  /** Whether they tell of any: where the manifest is missing altogether, that is no new experiment. */
  hasTraces: () => Promise<boolean>;
  /** Completes what is left of the manifest from them. */
  recover: (remains: Remains) => Promise<Recovered>;
  /**
   * Entries for captured images that no entry knows: where results of theirs stand in the log, as these tell, and else as of new images. Also
   * for further results that are `isLost`, whose image may be gone.
   * @param since results of before this local time (ISO) need not be looked at; null: all.
   */
  entriesOf: (
    images: readonly string[],
    isLost: (line: LostResult) => boolean,
    since: string | null,
  ) => Promise<Entry[]>;
  /** Told what has become of the manifest, once it is rebuilt. */
  rebuilt: (message: string) => void;
}

/** Segments that are read as a whole at each start: a power cut damages what was written last. */
const newestSegments = 4;

/**
 * Replaces a manifest that can't be read, or of which a part was lost, by all that is still known. Runs under the manifest's lock.
 *
 * Order: what is damaged is copied aside → the new snapshot (temp, fsync, rename), which holds all that snapshot and journals said →
 * the next journal → the old journals go → damaged segments go. A crash before the snapshot leaves all as it was; one behind it
 * leaves files that are found damaged again, and then nothing is missing but them. What is told twice is told of the same entries.
 *
 * @param damage what was found, in words.
 * @throws JournalFormatError, and the file system's errors: nothing is lost then, and it is tried again at the next start.
 */
export async function rebuildManifest(
  options: EntryReaderOptions & { recovery: RecoverySource },
  damage: readonly string[],
): Promise<void> {
  const { files, file, recovery } = options;
  const moved = new MovedSegments(files, archiveFolder(file));
  const broken: ArchiveError[] = [];
  const readable: string[] = [];
  let awayUntil: string | null = null;
  for (const name of await archiveSegments(files, file, moved)) {
    const error = await errorOf(files, file, name, moved);
    if (error === null) readable.push(name);
    else if (!error.isAway) broken.push(error);
    else awayUntil = newestIn(error.path);
  }
  const remains = await salvageManifest(files, file);
  const { entries, summary } = await recovery.recover({
    ...remains,
    awayUntil,
    archived: async function* () {
      for (const name of readable) yield* await readSegment(files, file, name, moved);
    },
  });

  const kept: string[] = [];
  const journals = await listJournals(files, file);
  for (const path of [file, ...journals.map(number => journalPath(file, number)), ...broken.map(({ path }) => path)]) {
    const copy = await keepCopy(files, path, 'damaged');
    if (copy !== null) kept.push(basename(copy));
  }
  await writeSnapshot(files, file, entries);
  await beginJournal(files, file, (journals.at(-1) ?? 0) + 1);
  for (const number of journals) await removeFile(files, journalPath(file, number));
  for (const { path } of broken) await removeFile(files, path);
  for (const folder of new Set([dirname(file), ...broken.map(({ path }) => dirname(path))])) {
    await files.syncFolder(folder);
  }
  const away =
    awayUntil === null ? '' : ' A part of the archive is on a disk that is away; what it may hold is left to it.';
  const lost = broken.length > 0 ? ` ${counted(broken.length, 'segment')} of the archive could not be read.` : '';
  recovery.rebuilt(
    `${file} was rebuilt, since a part of it could not be read: ${sentence(damage)}${lost}${away} Rebuilt from ${summary}. ` +
      `What could not be read is kept beside it (${kept.join(', ')}). 'phorest verify' says what is missing.`,
  );
}

/** Segments here that are damaged, as far as a start can look: each that is empty, and the newest as a whole. */
export async function damagedSegments(files: Files, file: string): Promise<string[]> {
  const names = await unmovedSegments(files, file);
  const found: string[] = [];
  for (const [i, name] of names.entries()) {
    const path = join(archiveFolder(file), name);
    if ((await files.stat(path))?.size === 0) found.push(`${path} is empty`);
    else if (i >= names.length - newestSegments) {
      const error = await errorOf(files, file, name, new MovedSegments(files, archiveFolder(file)));
      if (error !== null && !error.isAway) found.push(error.message);
    }
  }
  return found;
}

/** Why a segment can't be read; null when it can. */
async function errorOf(files: Files, file: string, name: string, moved: MovedSegments): Promise<ArchiveError | null> {
  try {
    await readSegment(files, file, name, moved);
    return null;
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
}

/** The time of the newest entry in a segment that was moved, from its name. */
function newestIn(path: string): string {
  const [, ...parts] = /_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_entries\./.exec(basename(path)) ?? [];
  const [year, month, day, ...clock] = parts;
  // One without a time in its name: anything may be in it.
  return clock.length === 3 ? `${year}-${month}-${day}T${clock.join(':')}` : '9999';
}

/** It builds on no other: whoever has read in those that go reads anew. */
async function beginJournal(files: Files, file: string, number: number): Promise<void> {
  const writer = new JournalWriter(files, journalPath(file, number));
  const outcome = await writer.append([{ journal: number, format: journalFormat, sealed: null }], 0);
  await writer.close();
  if (!outcome.clean && outcome.error) throw outcome.error;
  await files.syncFolder(dirname(file));
}

const sentence = (damage: readonly string[]): string => {
  const more = damage.length > 1 ? ` (and ${damage.length - 1} more)` : '';
  return `${damage[0]}${more}.`;
};
