import { join } from 'node:path';
import { makeFolder, removeFile, syncNamed } from '../files/durableNames.ts';
import type { Files } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import type { Entry } from '../model/entry.ts';
import { archiveFolder, parseSegment } from './archive.ts';
import { lastMoved, listFile, type MovedSegment, recordMoved } from './movedSegments.ts';

/** A segment as it was moved; `bytes` is its size as it is stored. */
export interface Moved {
  path: string;
  entries: number;
  bytes: number;
}

/**
 * Moves a segment of the archive to another folder, which may be on another disk: copy → fsync → rename → read back and compare →
 * line in the list of moved segments → removal here. After a crash at any point it is in one place that readers know, or in two
 * that hold the same and count as one; moving it again finishes. One caller at a time.
 *
 * The name there begins with the manifest's own and the time of the newest entry in it.
 *
 * @throws ArchiveError when the segment is damaged: it stays where it is. Errors of either file system; one with code `ENOENT`
 *   when the folder does not hold what was moved to it last, as a mount point whose disk is gone.
 */
export async function moveSegment(files: Files, manifestFile: string, segment: string, folder: string): Promise<Moved> {
  const archive = archiveFolder(manifestFile);
  const here = join(archive, segment);
  const bytes = await readBytes(files, here);
  const entries = await parseSegment(here, segment, bytes);
  const { lines, end } = await lastMoved(files, archive);
  await mustBeThatFolder(files, folder, archive, lines.at(-1));
  const file = nameThere(segment, entries);
  const path = join(folder, file);
  // Whoever left it there may not have come so far as to make it durable.
  if (await holds(files, path, bytes)) await syncNamed(files, path);
  else await copy(files, path, bytes);
  const isRecorded = lines.some(line => line.segment === segment && line.folder === folder && line.file === file);
  if (!isRecorded) await recordMoved(files, archive, { segment, folder, file }, end);
  await removeFile(files, here);
  return { path, entries: entries.length, bytes: bytes.length };
}

/** Makes the folder where it was never used; one that was used must hold what was put there. */
async function mustBeThatFolder(
  files: Files,
  folder: string,
  archive: string,
  last: MovedSegment | undefined,
): Promise<void> {
  if (last?.folder === folder) {
    if (await files.stat(join(folder, last.file))) return;
    const error: NodeJS.ErrnoException = new Error(
      `${folder} does not hold ${last.file}, which was moved there: is its disk mounted? Nothing is moved meanwhile. ` +
        `If the file is gone for good, delete its line from ${listFile(archive)}`,
    );
    error.code = 'ENOENT';
    error.path = join(folder, last.file);
    throw error;
  }
  await makeFolder(files, folder);
}

async function copy(files: Files, path: string, bytes: Buffer): Promise<void> {
  await writeAtomic(files, path, bytes);
  if (await holds(files, path, bytes)) return;
  await removeFile(files, path);
  const damage: NodeJS.ErrnoException = new Error(
    `${path} did not hold what was written to it; check memory and disk. The segment stays in the archive`,
  );
  damage.code = 'EIO';
  damage.path = path;
  throw damage;
}

/** Reads from the medium where the system lets one. */
async function holds(files: Files, path: string, bytes: Buffer): Promise<boolean> {
  if (!(await files.stat(path))) return false;
  const { openUncached } = files;
  const medium = openUncached ? { open: (name: string) => openUncached.call(files, name) } : files;
  return bytes.equals(await readBytes(medium, path));
}

/** The same each time, so that a copy that a crash left unrecorded is found again. */
function nameThere(segment: string, entries: readonly Entry[]): string {
  let newest = '';
  for (const { entry_timestamp_iso: time } of entries) if (typeof time === 'string' && time > newest) newest = time;
  const [, date, clock] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(newest) ?? [];
  const stamp = date && clock ? `_${date.replaceAll('-', '')}_${clock.replaceAll(':', '')}` : '';
  return `metadata_manifest${stamp}_${segment}`;
}
