import { basename, dirname, join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Files } from '../files/files.ts';
import { readValidJson } from '../files/readJson.ts';
import { SegmentedFile } from '../files/segmentedFile.ts';
import { splitLines } from '../files/splitLines.ts';
import { IdTable } from '../manifest/idTable.ts';
import { deterministicId } from '../manifest/normaliseEntry.ts';
import { cameraOf, isCapturedName, orphanEntry } from '../manifest/orphanEntry.ts';
import { outcomeOfResult } from '../manifest/outcomeOfResult.ts';
import type { RecoverySource, Remains } from '../manifest/rebuildManifest.ts';
import { untouchedEntry } from '../manifest/untouchedEntry.ts';
import { plainName } from '../model/compression.ts';
import type { CameraData, Entry, ResultLocation } from '../model/entry.ts';
import { utcIso } from '../model/localTime.ts';
import { counted } from '../model/quantity.ts';
import type { ResultLine } from '../model/result.ts';
import { openResultsLog } from '../sinks/results/resultsLog.ts';
import { roisOf } from '../sinks/table/csvColumns.ts';
import { replaySchema } from '../streams/folder/replaySchema.ts';
import { integers } from './column.ts';
import { capturedFolders, ImageNames } from './imageNames.ts';
import { RowTexts } from './rowTexts.ts';
import { columnKinds, tableColumns } from './tableColumns.ts';

export interface RecoverEntriesOptions {
  paths: Pick<ResolvedPaths, 'data' | 'brightfield' | 'results' | 'flags' | 'backup'>;
  files: Files;
  /** Milliseconds since 1970 UTC. */
  now: () => number;
  /** Told that the manifest was rebuilt, from what, and what is kept. */
  rebuilt: (message: string) => void;
}

/** A result that counts, and of which the manifest knows nothing any more. */
interface Found {
  line: Omit<ResultLine, 'image_analysis'>;
  location: ResultLocation;
  /** First and last row that the table would have of it, under each kind of columns; empty when it has none. */
  rows: readonly (readonly [string, string])[];
}

/**
 * What results, table and images tell of entries that the manifest has lost:
 *
 * - A result of an entry that nobody knows, or of a later attempt than the manifest knows, makes the entry `processed` (or `failed`)
 *   with that attempt. It is transmitted where the table has its rows. Such an entry has `recovered`, the time.
 * - A captured image that no entry knows waits for its analysis, as one that a crash has left; an empty one is left alone.
 *
 * Whether an image was copied to the share is not known any more: it is copied again, and found there. One that is not here counts
 * as removed.
 */
export function recoverySource(options: RecoverEntriesOptions): RecoverySource {
  return {
    backupFolder: options.paths.backup,
    rebuilt: options.rebuilt,
    entriesOf: (images, isLost, since) => entriesOf(images, isLost, since, options),
    hasTraces: async () => {
      for await (const _line of results(options)) return true;
      return false;
    },
    recover: async remains => {
      const known = await knownEntries(remains);
      const { found: all, unsent } = await readResults(remains, known, options);
      const transmitted = await rowsThere([...all, ...unsent], options);
      const found = onePerImage(all, transmitted);
      const images = await localImages(options);
      const originals = await originalFolders(options);
      const entries = new Map(remains.entries);
      const counts = { results: 0, removed: 0, images: 0, empty: 0 };
      for (const id of unsent.keys()) {
        const entry = entries.get(id)!;
        if (transmitted.has(id)) entries.set(id, { ...entry, data_transmitted: true, rev: entry.rev + 1 });
      }
      for (const [id, one] of found) {
        const entry = entryOf(id, one, remains, images, originals, options);
        const isNew = !entries.has(id) && known.archived.find(id) < 0 && !entry.camera_data!.original;
        if (isNew && known.images.has(pathOf(entry.camera_data!, options))) continue;
        if (transmitted.has(id)) entry.data_transmitted = true;
        entries.set(id, entry);
        known.images.add(pathOf(entry.camera_data!, options));
        counts.results++;
        if (entry.image_local === false) counts.removed++;
      }
      for (const path of images.values()) {
        if (known.images.has(path)) continue;
        if (((await options.files.stat(path))?.size ?? 0) === 0) {
          counts.empty++;
          continue;
        }
        const entry = orphanEntry(path, options.now());
        entries.set(entry.entry_id, entry);
        counts.images++;
      }
      const whole = remains.entries.size;
      return {
        entries: counts.results + counts.images > 0 ? inOrder(entries.values()) : entries.values(),
        summary:
          `${counted(whole, 'entry', 'entries')} that could be read, ${counts.results} from results (${counts.removed} of them without an image here) and ` +
          `${counts.images} from images${counts.empty > 0 ? `; ${counts.empty} empty images have no entry` : ''}`,
      };
    },
  };
}

/** See {@link RecoverySource.entriesOf}. */
async function entriesOf(
  paths: readonly string[],
  isLost: (line: ResultLine) => boolean,
  since: string | null,
  options: RecoverEntriesOptions,
): Promise<Entry[]> {
  const images = new Map(paths.map(path => [plainName(basename(path)), path]));
  const nothing = { entries: new Map(), fragments: new Map(), awayUntil: null };
  const known = { archived: new IdTable(), attempts: integers() };
  const { found } = await readResults(nothing, known, options, { isLost, from: await firstSegment(since, options) });
  const transmitted = await rowsThere([...found], options);
  const originals = await originalFolders(options);
  const entries: Entry[] = [];
  for (const [id, one] of onePerImage(found, transmitted)) {
    const entry = entryOf(id, one, nothing, images, originals, options);
    if (transmitted.has(id)) entry.data_transmitted = true;
    entries.push(entry);
    images.delete(plainName(entry.camera_data!.filename));
  }
  return [...entries, ...[...images.values()].map(path => orphanEntry(path, options.now()))];
}

/** Of the results of one captured image the one whose rows the table has, else the first: an image has one result that counts. */
function onePerImage(found: ReadonlyMap<string, Found>, transmitted: ReadonlySet<string>): Map<string, Found> {
  const chosen = new Map<string, string>();
  for (const [id, { line }] of found) {
    const name = plainName(line.image_filename ?? '');
    const image = isCapturedName(name) ? name : id;
    const before = chosen.get(image);
    if (before === undefined || (transmitted.has(id) && !transmitted.has(before))) chosen.set(image, id);
  }
  return new Map([...chosen.values()].map(id => [id, found.get(id)!]));
}

/** A clock may have been set, and times are in two zones, ms. */
const clockMarginMs = 24 * 3600_000;

/** The segment of the results from which on those of images since a local time stand: what is before it is not read. */
async function firstSegment(since: string | null, { paths, files }: RecoverEntriesOptions): Promise<number> {
  if (since === null) return 0;
  const from = new Date(Date.parse(`${since}Z`) - clockMarginMs).toISOString().slice(0, 19);
  const log = await openResultsLog({ folder: paths.results, files, exclusive: work => work() });
  const segments = await new SegmentedFile(files, paths.results, 'processing_results', 'jsonl').segments();
  for (const segment of segments.reverse()) {
    for await (const { line } of log.lines({ segment, length: 0 })) {
      if (line.processing_timestamp_iso.slice(0, 19) < from) return segment;
      break;
    }
  }
  return 0;
}

/** Archived ids with their attempts, and every image that an entry names. */
interface Known {
  archived: IdTable;
  attempts: ReturnType<typeof integers>;
  images: ImageNames;
}

async function knownEntries({ entries, archived }: Remains): Promise<Known> {
  const known: Known = { archived: new IdTable(), attempts: integers(), images: new ImageNames() };
  const addImage = ({ camera_data: camera }: Entry): void => {
    if (camera) known.images.add(join(camera.filepath ?? '', camera.filename));
  };
  for (const entry of entries.values()) addImage(entry);
  for await (const entry of archived()) {
    known.attempts.set(known.archived.add(entry.entry_id), entry.attempt);
    addImage(entry);
  }
  return known;
}

async function* results({ paths, files }: RecoverEntriesOptions, from = 0) {
  const log = await openResultsLog({ folder: paths.results, files, exclusive: work => work() });
  yield* log.lines({ segment: from, length: 0 });
}

/**
 * Of each entry the line of its last attempt, where the manifest does not know of it (`found`), or knows of it, and not that it was
 * reported (`unsent`).
 */
async function readResults(
  { entries, awayUntil }: Pick<Remains, 'entries' | 'awayUntil'>,
  { archived, attempts }: Pick<Known, 'archived' | 'attempts'>,
  options: RecoverEntriesOptions,
  { isLost = () => true, from = 0 }: { isLost?: (line: ResultLine) => boolean; from?: number } = {},
): Promise<{ found: Map<string, Found>; unsent: Map<string, Found> }> {
  const texts = new RowTexts(columnKinds(await tableColumns(tableOf(options))));
  const found = new Map<string, Found>();
  const unsent = new Map<string, Found>();
  for await (const { line, location } of results(options, from)) {
    if (!isLost(line)) continue;
    const { entry_id: id, attempt } = line;
    const live = entries.get(id);
    const number = live ? -1 : archived.find(id);
    const isAway = awayUntil !== null && line.manifest_entry_timestamp.slice(0, 19) <= awayUntil;
    if (!live && number < 0 && isAway) continue;
    const knownAttempt = live?.attempt ?? (number >= 0 ? attempts.get(number) : -1);
    const isUnsent = attempt === live?.attempt && live.processing_status === 'processed' && !live.data_transmitted;
    // Of two lines of one attempt the first counts.
    const isFurther = attempt <= Math.max(knownAttempt, found.get(id)?.line.attempt ?? -1);
    if (isFurther && (!isUnsent || unsent.has(id))) continue;
    const { image_analysis: _analysis, ...head } = line;
    const rows = roisOf(line).length > 0 ? texts.ofResult(line) : [];
    const one: Found = { line: head, location, rows: rows.map(kind => [kind[0]!, kind.at(-1)!]) };
    (isUnsent ? unsent : found).set(id, one);
  }
  return { found, unsent };
}

/** Ids of the results whose first and last row stand in the table. */
async function rowsThere(found: readonly [string, Found][], options: RecoverEntriesOptions): Promise<Set<string>> {
  const wanted = new Set(found.flatMap(([, { rows }]) => rows.flat()));
  const seen = new Set<string>();
  if (wanted.size > 0) {
    const table = tableOf(options);
    for (const [segment, columns] of await tableColumns(table)) {
      for await (const { bytes, terminated } of splitLines(table.read(segment))) {
        const text = terminated && bytes ? RowTexts.ofRow(columns, bytes.toString()) : '';
        if (wanted.has(text)) seen.add(text);
      }
    }
  }
  const isThere = ({ line, rows }: Found): boolean =>
    line.processing_successful && rows.some(([first, last]) => seen.has(first) && seen.has(last));
  return new Set(found.filter(([, one]) => isThere(one)).map(([id]) => id));
}

const tableOf = ({ paths, files }: RecoverEntriesOptions): SegmentedFile =>
  new SegmentedFile(files, paths.results, 'communicating_results', 'csv');

/** Captured images in the data folder and its days, by their name without a compression's suffix. */
async function localImages(options: RecoverEntriesOptions): Promise<Map<string, string>> {
  const images = new Map<string, string>();
  for (const folder of await capturedFolders(options)) {
    for (const name of await options.files.list(folder)) {
      const plain = plainName(name);
      if (isCapturedName(plain) && !images.has(plain)) images.set(plain, join(folder, name));
    }
  }
  return images;
}

/** Where imported images may have come from: the folder of a replay, and the data folder. */
export async function originalFolders({
  paths,
  files,
}: Pick<RecoverEntriesOptions, 'paths' | 'files'>): Promise<string[]> {
  // Where it is no replay, or its record is damaged too, the image is told as missing.
  const record = await readValidJson(files, join(paths.flags, 'replay.json'), replaySchema).catch(() => null);
  return record ? [record.request.folder, paths.data] : [paths.data];
}

function entryOf(
  id: string,
  { line, location }: Found,
  { entries, fragments }: Pick<Remains, 'entries' | 'fragments'>,
  images: ReadonlyMap<string, string>,
  originals: readonly string[],
  options: RecoverEntriesOptions,
): Entry {
  const before = entries.get(id);
  const more = fragments.get(id);
  const entry: Entry = {
    ...untouchedEntry,
    entry_id: id,
    entry_timestamp_iso: line.manifest_entry_timestamp,
    camera_data: cameraData(id, line, images, originals, options),
    temperature_data: line.temperature_readings && {
      type: 'temperature',
      timestamp_iso: line.temperature_timestamp ?? line.manifest_entry_timestamp,
      data: line.temperature_readings,
      error_flag: false,
      error_message: null,
    },
    timestamp_source: 'name',
    run_id: line.run_id,
    recovered: utcIso(options.now()),
    ...before,
    ...more,
    claims: {},
    ...outcomeOfResult(line, location),
    attempt: line.attempt,
    rev: Math.max(before?.rev ?? 0, more?.rev ?? 0) + 1,
  };
  // What the journals say of an attempt that came later, or of this one after its result, is newer.
  if (more && (more.attempt === undefined || more.attempt >= line.attempt))
    Object.assign(entry, more, { rev: entry.rev });
  const isHere = before !== undefined || images.has(plainName(entry.camera_data!.filename));
  if (!isHere && !entry.camera_data!.original) entry.image_local ??= false;
  return entry;
}

function cameraData(
  id: string,
  line: Found['line'],
  images: ReadonlyMap<string, string>,
  originals: readonly string[],
  { paths }: RecoverEntriesOptions,
): CameraData {
  const taken = line.image_timestamp ?? line.manifest_entry_timestamp;
  const name = line.image_filename ?? '';
  const plain = plainName(name);
  const path = images.get(plain);
  const original = !isCapturedName(plain);
  const source = originals.find(folder => deterministicId(folder, name, taken) === id) ?? originals[0]!;
  const day = join(paths.data, taken.slice(0, 10).replaceAll('-', ''));
  return {
    type: 'image',
    filename: path ? basename(path) : name,
    filepath: path ? dirname(path) : original ? source : day,
    timestamp_iso: taken,
    camera_index: cameraOf(plain) ?? 0,
    error_flag: false,
    error_message: null,
    original,
  };
}

const pathOf = ({ filepath, filename }: CameraData, { paths }: RecoverEntriesOptions): string =>
  join(filepath ?? paths.data, filename);

/** By the time of the image: the order of collection, but for a clock that was set. */
function inOrder(entries: Iterable<Entry>): Entry[] {
  const timeOf = ({ camera_data: camera, entry_timestamp_iso: made }: Entry): string => camera?.timestamp_iso ?? made;
  return [...entries].sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0));
}
