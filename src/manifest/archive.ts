import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, gunzip, gzip } from 'node:zlib';
import { makeFolder } from '../files/durableNames.ts';
import type { Files } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import type { Entry } from '../model/entry.ts';
import { ArchiveError } from './archiveError.ts';
import type { IdTable } from './idTable.ts';
import { lateOutcomesFile, segmentOfList, withLateOutcomes } from './lateOutcomes.ts';
import { lastMovedText, MovedSegments } from './movedSegments.ts';

export { ArchiveError } from './archiveError.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Folder of the archive segments, beside the manifest. */
export function archiveFolder(manifestFile: string): string {
  return join(dirname(manifestFile), `${basename(manifestFile, '.json')}_archive`);
}

/** Entries in one segment at most: a segment is made and read as a whole. */
export const entriesPerSegment = 5_000;

const segmentName = /^entries\.(\d+)\.[0-9a-f]{8}\.jsonl\.gz$/;

interface Segment {
  name: string;
  number: number;
}

/** Those of the names that are segments, each once, oldest first. */
function segmentsOf(names: Iterable<string>): Segment[] {
  return [...new Set(names)]
    .flatMap(name => {
      const number = segmentName.exec(name)?.[1];
      return number === undefined ? [] : [{ name, number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1));
}

/** An empty file beside a segment some of whose entries wait for a stage: `entries.<n>.<checksum>.syncer.<how many>`. */
const markerName = /^(entries\.\d+\.[0-9a-f]{8})\.syncer\.(\d+)$/;

/**
 * Writes entries into a new segment and returns once it is durable. Entries stay in the live manifest until the
 * caller has recorded them as archived: a crash between leaves them in both places, where live wins.
 *
 * The name carries a checksum of the content: two writers that take the same number (one of them suspended, its lock
 * stolen) never replace each other's segment.
 *
 * @param waiting how many of them wait for their copy on the share: the segment is marked, so that a start need not read it.
 */
export async function writeSegment(
  files: Files,
  manifestFile: string,
  entries: readonly Entry[],
  waiting = 0,
): Promise<void> {
  const folder = archiveFolder(manifestFile);
  await makeFolder(files, folder);
  const here = await files.list(folder);
  // Numbers go on, also when all segments have been moved away, and whatever has become of the list of those.
  const moved = (await lastMovedText(files, folder)).match(/entries\.\d+\.[0-9a-f]{8}\.jsonl\.gz/g) ?? [];
  const number = (segmentsOf([...here, ...moved]).at(-1)?.number ?? 0) + 1;
  const text = entries.map(entry => `${JSON.stringify(entry)}\n`).join('');
  const name = nameOf(number, text);
  await writeAtomic(files, join(folder, name), await compress(text));
  if (waiting > 0) await writeAtomic(files, join(folder, name.replace(/jsonl\.gz$/, `syncer.${waiting}`)), '');
}

/** A segment with entries that waited for their copy on the share when it was written. */
export interface MarkedSegment {
  name: string;
  /** How many did. */
  waiting: number;
  /** Path of what marks it; whoever has seen that none waits any more removes that. */
  marker: string;
}

/** The segments that are marked, oldest first. A mark whose segment is gone, since it was damaged and replaced, says nothing. */
export async function markedSegments(files: Files, manifestFile: string): Promise<MarkedSegment[]> {
  const folder = archiveFolder(manifestFile);
  const here = new Set(await files.list(folder));
  const marked = new Map<string, MarkedSegment>();
  for (const marker of here) {
    const [, stem, waiting] = markerName.exec(marker) ?? [];
    const name = `${stem}.jsonl.gz`;
    if (stem === undefined || !here.has(name)) continue;
    marked.set(name, { name, waiting: Number(waiting), marker: join(folder, marker) });
  }
  return segmentsOf(marked.keys()).map(({ name }) => marked.get(name)!);
}

/** How long the lists of what was copied of some segments are, in bytes; of those that have one. */
export async function lateCopiedBytes(
  files: Files,
  manifestFile: string,
  segments: readonly string[],
): Promise<Map<string, number>> {
  const folder = archiveFolder(manifestFile);
  const there = new Set(await files.list(folder));
  const bytes = new Map<string, number>();
  for (const segment of segments) {
    const path = lateOutcomesFile(folder, segment, 'syncer');
    if (there.has(basename(path))) bytes.set(segment, (await files.stat(path))?.size ?? 0);
  }
  return bytes;
}

/** The segments with entries whose images were copied to the share after they were archived, oldest first. */
export async function lateCopiedSegments(files: Files, manifestFile: string): Promise<string[]> {
  const names = (await files.list(archiveFolder(manifestFile))).flatMap(name => segmentOfList(name, 'syncer') ?? []);
  return segmentsOf(names).map(({ name }) => name);
}

/** All archived entries, oldest segment first; an entry that stands in two segments comes twice, the later one counts. */
export async function* readArchive(files: Files, manifestFile: string): AsyncGenerator<Entry> {
  const moved = new MovedSegments(files, archiveFolder(manifestFile));
  for (const name of await archiveSegments(files, manifestFile, moved))
    yield* await readSegment(files, manifestFile, name, moved);
}

/**
 * Every archived entry once, as it was archived last: segment by segment, newest first, so that one pass does.
 * @param seen ids that are passed over; those that come are added.
 */
export async function* newestArchived(
  files: Files,
  manifestFile: string,
  seen: IdTable,
): AsyncGenerator<{ segment: string; entries: Entry[] }> {
  const moved = new MovedSegments(files, archiveFolder(manifestFile));
  for (const segment of (await archiveSegments(files, manifestFile, moved)).reverse()) {
    const entries: Entry[] = [];
    for (const entry of (await readSegment(files, manifestFile, segment, moved)).reverse()) {
      const known = seen.size;
      if (seen.add(entry.entry_id) === known) entries.push(entry);
    }
    yield { segment, entries: entries.reverse() };
  }
}

/**
 * Names of the segments, oldest first; those that were moved to another folder keep theirs.
 * @param moved one that is kept saves reading the list of those anew.
 */
export async function archiveSegments(
  files: Files,
  manifestFile: string,
  moved = new MovedSegments(files, archiveFolder(manifestFile)),
): Promise<string[]> {
  // In this order: one that is being moved is in the list before it leaves the folder.
  const here = await files.list(archiveFolder(manifestFile));
  return segmentsOf([...here, ...(await moved.names())]).map(({ name }) => name);
}

/** Names of the segments that stand in the archive's own folder, oldest first. */
export async function unmovedSegments(files: Files, manifestFile: string): Promise<string[]> {
  return segmentsOf(await files.list(archiveFolder(manifestFile))).map(({ name }) => name);
}

/** Those of them with no entry that waits for a stage: they may be moved to another disk, which may be away some day. */
export async function movableSegments(files: Files, manifestFile: string): Promise<string[]> {
  // In this order: a segment is there before it is marked, and none of its entries leaves the live manifest before that.
  const names = await unmovedSegments(files, manifestFile);
  const marked = new Set((await markedSegments(files, manifestFile)).map(({ name }) => name));
  return names.filter(name => !marked.has(name));
}

/**
 * The entries of one segment, in order of collection, wherever it is, with what came of them since.
 * @param moved as for {@link archiveSegments}.
 * @throws ArchiveError that names the segment when it can't be unpacked, or its content is not what was written, or the disk
 *   that it was moved to can't be read.
 */
export async function readSegment(
  files: Files,
  manifestFile: string,
  name: string,
  moved = new MovedSegments(files, archiveFolder(manifestFile)),
): Promise<Entry[]> {
  const archive = archiveFolder(manifestFile);
  return withLateOutcomes(files, archive, name, await readWritten(files, join(archive, name), name, moved));
}

/** As they were when they were archived. */
async function readWritten(files: Files, here: string, name: string, moved: MovedSegments): Promise<Entry[]> {
  try {
    return await parseSegment(here, name, await readBytes(files, here));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const path = await moved.pathOf(name);
    if (path === null) throw error;
    return parseSegment(path, name, await readMoved(files, path));
  }
}

/**
 * The entries in a segment's bytes.
 * @param path where they were read, for messages.
 * @throws ArchiveError
 */
export async function parseSegment(path: string, name: string, packed: Buffer): Promise<Entry[]> {
  let bytes: Buffer;
  try {
    bytes = await decompress(packed);
  } catch (error) {
    throw new ArchiveError(path, (error as Error).message, { cause: error });
  }
  if (name !== nameOf(Number(segmentName.exec(name)?.[1]), bytes))
    throw new ArchiveError(path, 'its checksum is not the one in its name');
  return bytes
    .toString('utf8')
    .split('\n')
    .flatMap(line => (line ? [JSON.parse(line) as Entry] : []));
}

/** Another disk that is gone or dying is no failure of the one that the experiment is on. */
async function readMoved(files: Files, path: string): Promise<Buffer> {
  try {
    return await readBytes(files, path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const reason = code === 'ENOENT' ? 'it was moved there and is not there any more; is its disk mounted?' : message;
    throw new ArchiveError(path, reason, { cause: error });
  }
}

function nameOf(number: number, content: string | Buffer): string {
  return `entries.${number}.${crc32(content).toString(16).padStart(8, '0')}.jsonl.gz`;
}
