import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { nodeFiles } from '../../src/files/files.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { readArchive } from '../../src/manifest/archive.ts';
import { applyChange } from '../../src/manifest/change.ts';
import { journalPath, listJournals } from '../../src/manifest/journal.ts';
import { isHeader, isSnapshotMark, type JournalRecord, parseLine } from '../../src/manifest/journalLine.ts';
import { plainName } from '../../src/model/compression.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { ResultLine, RoiResult } from '../../src/model/result.ts';
import { parseCsvLine } from '../../src/sinks/table/parseCsvLine.ts';
import type { StorageOptions } from './experiment.ts';
import { inspectRoot } from './inspectRoot.ts';
import { checkStored, type StoredImages } from './storedImages.ts';

export interface ConservationOptions {
  /** Root of the experiment, on which nothing runs any more, however it ended. */
  root: string;
  /** Ids of all entries that the pipeline ever said to have recorded. */
  acknowledged: Iterable<string>;
  /** Whether everything must have been analysed and reported. */
  settled?: boolean;
  /** Where further stages should have brought the images. */
  storage?: StorageOptions | undefined;
}

export interface Conservation {
  /** What does not fit together, in words; empty when all is well. */
  problems: string[];
  entries: Entry[];
  /** Result lines that do not count: attempts that a kill cut off after their line was written. */
  spareLines: number;
  /** Places where the table has an image before one that was collected earlier. */
  outOfOrder: number;
  /** Images that a kill left between their file and their entry; nobody was told of them. */
  imagesWithoutEntry: string[];
  temporaryFiles: string[];
  /** With `storage`. */
  stored: StoredImages | null;
}

/**
 * What a fault run must end with: everything acknowledged is there once, each processed entry has exactly one counting
 * result at the place that the manifest names, the table's rows are those of the results that were reported, each once and
 * in the order of their ROIs, nothing is stuck, and every image can be read.
 */
export async function conservation({
  root,
  acknowledged,
  settled = true,
  storage,
}: ConservationOptions): Promise<Conservation> {
  const problems: string[] = [];
  const manifestFile = join(root, 'data', 'metadata_manifest.json');
  const live = await liveEntries(manifestFile);
  const known = new Map<string, Entry>();
  for await (const entry of readArchive(nodeFiles, manifestFile)) known.set(entry.entry_id, entry);
  for (const entry of live) known.set(entry.entry_id, entry);
  const entries = [...known.values()];
  for (const id of acknowledged) if (!known.has(id)) problems.push(`${id} was acknowledged and is gone`);

  const segments = await resultSegments(join(root, 'results'));
  const lines = resultLines(segments);
  const countOf = Map.groupBy(lines, ({ entry_id: id, attempt }) => `${id} ${attempt}`);
  let counting = 0;
  const expectedRows = new Map<string, { entry: Entry; rows: string[] }>();
  for (const [place, entry] of entries.entries()) {
    const { entry_id: id, processing_status: status, attempt } = entry;
    const say = (what: string): unknown =>
      problems.push(`${id} (number ${place}, ${status}, attempt ${attempt}): ${what}`);
    if (Object.keys(entry.claims).length > 0) say(`is still claimed: ${JSON.stringify(entry.claims)}`);
    if (status === 'processing') say('is stuck');
    if (settled && status === 'pending') say('was not processed');
    if (status !== 'processed' && status !== 'failed') continue;
    const own = countOf.get(`${id} ${attempt}`) ?? [];
    if (own.length !== 1) say(`has ${own.length} result lines of the attempt that counts`);
    else counting++;
    if (own[0] && own[0].processing_successful !== (status === 'processed'))
      say('has a result line that says otherwise');
    if (status !== 'processed') continue;
    if (settled && !entry.data_transmitted) say('was not reported');
    const line = lineAt(segments, entry);
    if (line?.entry_id !== id || line.attempt !== attempt) say('has no result line where it says');
    else if (entry.data_transmitted) {
      const rows = rowsOf(line);
      if (rows.length === 0) say('was reported without rows');
      else expectedRows.set(rows[0]!, { entry, rows });
    }
  }

  const table = await tableRows(join(root, 'results'), problems);
  const placeOf = new Map(entries.map(({ entry_id: id }, place) => [id, place]));
  let outOfOrder = 0;
  let before = -1;
  for (let at = 0; at < table.length; ) {
    const expected = expectedRows.get(table[at]!);
    if (!expected) {
      problems.push(`row ${at} of the table belongs to no reported result, or comes twice: ${table[at]}`);
      at++;
      continue;
    }
    const { entry, rows } = expected;
    expectedRows.delete(table[at]!);
    const there = table.slice(at, at + rows.length);
    if (there.join('\n') !== rows.join('\n')) problems.push(`the rows of ${entry.entry_id} do not stand together`);
    at += rows.length;
    const place = placeOf.get(entry.entry_id)!;
    if (place < before) outOfOrder++;
    before = place;
  }
  for (const { entry } of expectedRows.values()) problems.push(`${entry.entry_id} was reported, but has no rows`);

  const { images, temporaryFiles } = await filesOf(root);
  for (const { entry_id: id, camera_data: camera, image_local: isLocal, copy_required: hasCopy } of entries) {
    // One that the ring buffer has removed where nothing is copied is gone, as was asked.
    if (!camera || (isLocal === false && hasCopy === false)) continue;
    const path = join(camera.filepath, camera.filename);
    images.delete(imageKey(path));
    try {
      await decodeFrame(path);
    } catch (error) {
      if (known.get(id)!.processing_status !== 'failed') problems.push(`${path} of ${id}: ${(error as Error).message}`);
    }
  }
  const stored = storage ? await checkStored(root, entries, storage, problems) : null;
  // The product's own check must agree; what a kill may leave is told of below.
  const mayBeLeft = ['orphan_image', 'stray_temporary', 'torn_line'];
  for (const { kind, file, message } of await inspectRoot(root)) {
    const isExcused = kind === 'missing_image' || kind === 'missing_folder';
    if (!isExcused && !mayBeLeft.includes(kind)) problems.push(`verify: ${kind} ${file}: ${message}`);
  }
  return {
    problems,
    entries,
    spareLines: lines.length - counting,
    outOfOrder,
    imagesWithoutEntry: [...images],
    temporaryFiles,
    stored,
  };
}

/** The live entries as snapshot and journals tell them, read anew and without repairing anything. */
export async function liveEntries(manifestFile: string): Promise<Entry[]> {
  const snapshot = JSON.parse(await readFile(manifestFile, 'utf8')) as Entry[];
  const live = new Map(snapshot.map(entry => [entry.entry_id, entry]));
  if (live.size < snapshot.length) throw new Error(`${manifestFile} has an entry twice`);
  const numbers = await listJournals(nodeFiles, manifestFile);
  const journals = await Promise.all(
    numbers.map(async number => ({ number, bytes: await readFile(journalPath(manifestFile, number)) })),
  );
  for (const [i, { number, bytes }] of journals.entries()) {
    const next = journals[i + 1] && recordsOf(journals[i + 1]!.bytes).find(isHeader);
    const end = next?.sealed?.number === number ? next.sealed.length : bytes.length;
    for (const record of recordsOf(bytes.subarray(0, end))) {
      if (isHeader(record) || isSnapshotMark(record)) continue;
      const entry = applyChange(live.get(record.id), record);
      if (entry) live.set(record.id, entry);
      else if (entry === null) live.delete(record.id);
    }
  }
  return [...live.values()];
}

function recordsOf(bytes: Buffer): JournalRecord[] {
  return bytes
    .toString()
    .split('\n')
    .flatMap(line => parseLine(line) ?? []);
}

/** Bytes of each results segment, by its number. */
async function resultSegments(folder: string): Promise<Map<number, Buffer>> {
  const segments = new Map<number, Buffer>();
  for (const name of await readdir(folder)) {
    const match = /^processing_results(?:\.(\d+))?\.jsonl$/.exec(name);
    if (match) segments.set(Number(match[1] ?? 0), await readFile(join(folder, name)));
  }
  return segments;
}

function resultLines(segments: ReadonlyMap<number, Buffer>): ResultLine[] {
  return [...segments]
    .sort(([a], [b]) => a - b)
    .flatMap(([, bytes]) =>
      bytes
        .toString()
        .split('\n')
        .flatMap(text => parse(text) ?? []),
    );
}

function lineAt(segments: ReadonlyMap<number, Buffer>, { result }: Entry): ResultLine | null {
  if (!result) return null;
  const { segment, offset, length } = result;
  return parse(
    segments
      .get(segment)
      ?.subarray(offset, offset + length)
      .toString() ?? '',
  );
}

function parse(text: string): ResultLine | null {
  try {
    return JSON.parse(text) as ResultLine;
  } catch {
    // What a kill has torn off is no result.
    return null;
  }
}

/** A result's rows as far as they tell one from another: time, ROI, method, position. */
function rowsOf({ image_timestamp: time, image_analysis: analysis }: ResultLine): string[] {
  const rois = (analysis ?? []).slice(1) as RoiResult[];
  return rois.map(roi => [time, roi['ROI-label'], roi['Analysis-method'], roi.position ?? ''].join(' '));
}

async function tableRows(folder: string, problems: string[]): Promise<string[]> {
  const numbers: number[] = [];
  for (const name of await readdir(folder)) {
    const match = /^communicating_results(?:\.(\d+))?\.csv$/.exec(name);
    if (match) numbers.push(Number(match[1] ?? 0));
  }
  const rows: string[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const name = `communicating_results${number === 0 ? '' : `.${number}`}.csv`;
    const text = await readFile(join(folder, name), 'utf8');
    if (!text.endsWith('\n')) problems.push(`${name} ends within a row`);
    const [header = '', ...lines] = text.split('\n').slice(0, -1);
    const columns = parseCsvLine(header);
    const wanted = ['timestamp', 'ROI-label', 'Analysis-method', 'position'].map(column => columns.indexOf(column));
    for (const line of lines) {
      const cells = parseCsvLine(line);
      if (cells.length !== columns.length) problems.push(`${name} has a row of ${cells.length} cells: ${line}`);
      else rows.push(wanted.map(column => cells[column]).join(' '));
    }
  }
  return rows;
}

async function filesOf(root: string): Promise<{ images: Set<string>; temporaryFiles: string[] }> {
  const images = new Set<string>();
  const temporaryFiles: string[] = [];
  for (const { parentPath, name } of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (name.endsWith('.tmp')) temporaryFiles.push(relative(root, join(parentPath, name)));
    else if (parentPath.startsWith(join(root, 'data')) && /\.(?:png|tiff)(?:\.gz)?$/.test(name))
      images.add(imageKey(join(parentPath, name)));
  }
  return { images, temporaryFiles };
}

/** The same for an image and its compressed copy: a kill may leave both. */
const imageKey = (path: string): string => plainName(path);
