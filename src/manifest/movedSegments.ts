import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { appendDurably } from '../files/appendDurably.ts';
import type { Files } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { ArchiveError } from './archiveError.ts';
import { keepCopy } from './keepCopy.ts';

/** Where a segment of the archive was moved to. */
export interface MovedSegment {
  /** Its name in the archive; it goes on being known by that. */
  segment: string;
  /** Absolute. */
  folder: string;
  /** Its name there. */
  file: string;
}

/** So much of the end is read where only the newest lines matter, bytes. */
const tailBytes = 1 << 16;
/** A line has some hundred bytes, and a segment ten thousand images. */
const largestListBytes = 1 << 26;
const newline = 0x0a;

/**
 * The list of segments that have left the archive's folder: `moved.jsonl` in that folder, one line a segment, appended. It is
 * beside the manifest, so that what is missing from another disk is known to be missing.
 *
 * Reading costs what is new since the last time. A last line that is torn was never acknowledged and counts as absent.
 */
export class MovedSegments {
  readonly #files: Files;
  readonly #folder: string;
  #paths = new Map<string, string>();
  /** Byte after the last line that was read, and which file that was in. */
  #end = 0;
  #ino: number | null = null;

  /** @param folder of the archive. */
  constructor(files: Files, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** Names of the segments that were moved. @throws ArchiveError when a line is damaged. */
  async names(): Promise<string[]> {
    await this.#refresh();
    return [...this.#paths.keys()];
  }

  /** Where a segment is now; null when it was not moved. @throws ArchiveError when a line is damaged. */
  async pathOf(segment: string): Promise<string | null> {
    if (!this.#paths.has(segment)) await this.#refresh();
    return this.#paths.get(segment) ?? null;
  }

  async #refresh(): Promise<void> {
    const path = listFile(this.#folder);
    const stat = await this.#files.stat(path);
    if (stat?.ino !== this.#ino || (stat && stat.size < this.#end)) {
      this.#paths = new Map();
      this.#end = 0;
      this.#ino = stat?.ino ?? null;
    }
    if (!stat || stat.size === this.#end) return;
    if (stat.size - this.#end > largestListBytes) {
      throw new ArchiveError(
        path,
        `it has ${stat.size} bytes, more than any list of segments: put a good copy in its place`,
      );
    }
    const { lines, end } = parseLines(await readBytes(this.#files, path, this.#end), this.#folder);
    for (const { segment, folder, file } of lines) this.#paths.set(segment, join(folder, file));
    this.#end += end;
  }
}

/** The segments that were moved last, oldest first, and the byte after their last line: costs the same however many there are. */
export async function lastMoved(files: Files, folder: string): Promise<{ lines: MovedSegment[]; end: number }> {
  const { bytes, from } = await readTail(files, folder);
  const begin = from > 0 ? bytes.indexOf(newline) + 1 : 0;
  const { lines, end } = parseLines(bytes.subarray(begin), folder);
  if (lines.length === 0 && from > 0) throw damaged(folder);
  return { lines, end: from + begin + end };
}

/** The end of the list as it stands, damaged or not: the names of the segments that were moved last are in it. */
export async function lastMovedText(files: Files, folder: string): Promise<string> {
  return (await readTail(files, folder)).bytes.toString('latin1');
}

async function readTail(files: Files, folder: string): Promise<{ bytes: Buffer; from: number }> {
  const path = listFile(folder);
  const size = (await files.stat(path))?.size ?? 0;
  const from = Math.max(0, size - tailBytes);
  return { bytes: size > 0 ? await readBytes(files, path, from) : Buffer.alloc(0), from };
}

/**
 * Adds a line, durably. One writer at a time. What a crash left behind the last line is cut off first.
 * @param end as {@link lastMoved} gave it.
 * @throws ShorterFileError when the list was moved away or shortened since.
 */
export async function recordMoved(files: Files, folder: string, moved: MovedSegment, end: number): Promise<void> {
  const line = Buffer.from(lineOf(moved, folder));
  await appendDurably(files, listFile(folder), line, {
    keep: 'nothing',
    folder: end === 0 ? folder : null,
    rowsEnd: size => Math.min(size, end),
    least: end,
  });
}

/**
 * Puts a damaged or emptied list right: the lines that can be read, and each segment that stands in one of their folders, or in
 * `backupFolder`, and neither in the list nor in the archive. The damaged one is kept beside it.
 *
 * @returns what was done, in words; null where the list is whole, or never was one.
 */
export async function mendMovedList(files: Files, archive: string, backupFolder: string): Promise<string | null> {
  const path = listFile(archive);
  if ((await files.stat(path)) === null) return null;
  const bytes = await readBytes(files, path);
  const isReadable = isWhole(bytes, archive);
  const lines = bytes
    .toString()
    .split('\n')
    .flatMap(line => parseLine(line, archive) ?? []);
  // Empty, or zeros: nothing was ever acknowledged in it, or all of it is lost.
  if (isReadable && lines.length > 0) return null;
  const known = new Set([...lines.map(({ segment }) => segment), ...(await files.list(archive))]);
  let found = 0;
  for (const folder of new Set([...lines.map(line => line.folder), backupFolder])) {
    for (const file of (await files.list(folder)).sort()) {
      const [segment] = /entries\.\d+\.[0-9a-f]{8}\.jsonl\.gz$/.exec(file) ?? [];
      if (segment === undefined || known.has(segment)) continue;
      known.add(segment);
      lines.push({ segment, folder, file });
      found++;
    }
  }
  if (isReadable && found === 0) return null;
  const kept = await keepCopy(files, path, 'damaged');
  await writeAtomic(files, path, lines.map(line => lineOf(line, archive)).join(''));
  return (
    `${path} was damaged and is made anew: ${lines.length - found} lines could be read, ${found} segments were found in their folders. ` +
    `The damaged list is kept as ${kept}`
  );
}

function isWhole(bytes: Buffer, archive: string): boolean {
  try {
    parseLines(bytes, archive);
    return true;
  } catch (error) {
    if (error instanceof ArchiveError) return false;
    throw error;
  }
}

const lineOf = (moved: MovedSegment, archive: string): string =>
  `${JSON.stringify({ ...moved, folder: portable(moved.folder, archive) })}\n`;

/** The list in an archive's folder. */
export function listFile(folder: string): string {
  return join(folder, 'moved.jsonl');
}

/** A folder inside that of the experiment is still found when all of it is copied elsewhere. */
function portable(folder: string, archive: string): string {
  const path = relative(archive, folder);
  const isInside = !isAbsolute(path) && !relative(dirname(dirname(archive)), folder).startsWith('..');
  return isInside ? path : folder;
}

function parseLines(bytes: Buffer, archive: string): { lines: MovedSegment[]; end: number } {
  const lines: MovedSegment[] = [];
  let end = 0;
  let unreadable = false;
  for (let from = 0; ; ) {
    const to = bytes.indexOf(newline, from);
    if (to < 0) return { lines, end };
    const line = bytes.subarray(from, to);
    const moved = parseLine(line.toString('utf8'), archive);
    from = to + 1;
    if (!moved) {
      // A power cut leaves zeros where it lost what was written; anything else that ends in a newline was whole once.
      if (!line.includes(0)) throw damaged(archive);
      unreadable = true;
      continue;
    }
    if (unreadable) throw damaged(archive);
    lines.push(moved);
    end = from;
  }
}

function parseLine(text: string, archive: string): MovedSegment | null {
  try {
    const { segment, folder, file } = JSON.parse(text) as Record<keyof MovedSegment, unknown>;
    if (!isPlainName(segment) || !isPlainName(file) || typeof folder !== 'string') return null;
    return { segment, folder: resolve(archive, folder), file };
  } catch {
    return null;
  }
}

const isPlainName = (name: unknown): name is string =>
  typeof name === 'string' && name !== '' && name !== '.' && name !== '..' && basename(name) === name;

const damaged = (folder: string): ArchiveError =>
  new ArchiveError(
    listFile(folder),
    'a line of it is damaged; mend it with an editor, or put a good copy in its place',
  );
