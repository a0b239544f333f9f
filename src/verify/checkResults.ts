import { SegmentedFile } from '../files/segmentedFile.ts';
import { splitLines } from '../files/splitLines.ts';
import { isSettled } from '../manifest/isSettled.ts';
import { deterministicId } from '../manifest/normaliseEntry.ts';
import { isCapturedName } from '../manifest/orphanEntry.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { plainName } from '../model/compression.ts';
import type { ResultLocation } from '../model/entry.ts';
import { counted } from '../model/quantity.ts';
import type { ResultLine } from '../model/result.ts';
import { parseResultLine } from '../sinks/results/resultsLog.ts';
import { roisOf } from '../sinks/table/csvColumns.ts';
import type { Inspection } from './inspection.ts';
import { originalFolders } from './recoverEntries.ts';
import type { RowsDue } from './reportLedger.ts';
import type { RowTexts } from './rowTexts.ts';

/**
 * Reads every result line once, holds it against its entry, and notes what rows it would give. Then says which entries lack
 * the line that counts.
 */
export async function checkResults(inspection: Inspection, texts: RowTexts): Promise<void> {
  const { files, paths } = inspection.options;
  const log = new SegmentedFile(files, paths.results, 'processing_results', 'jsonl');
  const unknown: Unknown[] = [];
  for (const segment of await log.segments()) {
    try {
      await checkSegment(log, segment, inspection, texts, unknown);
    } catch (error) {
      // Errors of the file system have a code; without one it is what the file holds.
      if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
      inspection.report('damaged_line', log.path(segment), (error as Error).message);
    }
  }
  if (unknown.length > 0) await findLost(unknown, inspection);
  if (checkMissing(inspection) > 0) {
    await noteRenamed(inspection);
    await findKeptTimes(inspection);
  }
}

/** A result that no entry names. */
interface Unknown {
  id: string;
  /** Of its image, without a compression's suffix. */
  name: string;
  taken: string | null;
  report: number | null;
}

/** Which of them have lost their entry, since no other knows their image. The rows of the others count for nothing. */
async function findLost(unknown: readonly Unknown[], { options, repairs, reports }: Inspection): Promise<void> {
  const { files, paths } = options;
  const captured = new Set(unknown.map(({ name }) => name).filter(isCapturedName));
  for await (const { entries } of readEntries({ file: paths.manifestFile, files, isSettled, note: () => undefined })) {
    for (const { camera_data: camera } of entries) if (camera) captured.delete(plainName(camera.filename));
  }
  const folders = await originalFolders(options);
  for (const { id, name, taken, report } of unknown) {
    const isImported = folders.some(folder => deterministicId(folder, name, taken ?? '') === id);
    if (captured.has(name) || isImported) repairs.lost.add(id);
    else if (report !== null) reports.forbid(report);
  }
}

async function checkSegment(
  log: SegmentedFile,
  segment: number,
  inspection: Inspection,
  texts: RowTexts,
  unknown: Unknown[],
): Promise<void> {
  let others = 0;
  let first = '';
  for await (const { offset, length, bytes, terminated } of splitLines(log.read(segment))) {
    const line = resultLine(bytes);
    // A torn end is looked at by itself. Where only its newline is missing, as an editor saves it, it is a whole line.
    if (!terminated && !line) break;
    const location = { segment, offset, length: terminated ? length : length + 1 };
    if (line) checkLine(line, location, log.path(segment), inspection, texts, unknown);
    else if (others++ === 0) first = `the first at byte ${offset}`;
  }
  if (others > 0)
    inspection.note(
      `${log.path(segment)}: ${counted(others, 'line is no result', 'lines are no results')} of ours, ${first}`,
    );
}

/** Null: cut, or overwritten. Where it is the one that counts, its entry is found without. */
function resultLine(bytes: Buffer | null): ResultLine | null {
  const line = parseResultLine(bytes);
  return typeof line === 'string' ? null : line;
}

/** Says which entries have no result line; returns how many. */
function checkMissing(inspection: Inspection): number {
  const { ledger, options } = inspection;
  let missing = 0;
  for (let number = 0; number < ledger.size; number++) {
    if (!lacksResult(number, inspection)) continue;
    missing++;
    const message = `${ledger.status(number)}, but there is no result line of attempt ${ledger.attempt(number)}`;
    if (!ledger.isImageless(number)) sendBack(number, 'missing_result', options.paths.resultsFile, message, inspection);
    else
      inspection.report('lost_result', options.paths.resultsFile, `${message}, nor its image here`, ledger.id(number));
  }
  return missing;
}

function lacksResult(number: number, { ledger }: Inspection): boolean {
  const status = ledger.status(number);
  if ((status !== 'processed' && status !== 'failed') || ledger.counting(number) > 0) return false;
  return !ledger.isForeign(number);
}

/** A part of the results that somebody has renamed is no part any more, and may well be what is missing. */
async function noteRenamed({ options: { files, paths }, note }: Inspection): Promise<void> {
  const log = new SegmentedFile(files, paths.results, 'processing_results', 'jsonl');
  const names = (await files.list(paths.results)).filter(
    name => /processing_results/.test(name) && log.numberOf(name) === null,
  );
  if (names.length > 0) note(`${paths.results}: ${names.join(', ')} may hold results, and is not read under this name`);
}

async function findKeptTimes(inspection: Inspection): Promise<void> {
  const { options, ledger, keptTimes } = inspection;
  const { files, paths } = options;
  for await (const { entries } of readEntries({ file: paths.manifestFile, files, isSettled, note: () => undefined })) {
    for (const { entry_id: id, camera_data: camera, entry_timestamp_iso: made } of entries) {
      const number = ledger.find(id);
      const isKept = number >= 0 && ledger.isImageless(number) && ledger.isTransmitted(number);
      if (isKept && lacksResult(number, inspection)) keptTimes.add(camera?.timestamp_iso ?? made);
    }
  }
}

function checkLine(
  line: ResultLine,
  location: ResultLocation,
  file: string,
  inspection: Inspection,
  texts: RowTexts,
  unknown: Unknown[],
): void {
  const { ledger, ends, tally } = inspection;
  tally.results++;
  const { entry_id: id, attempt } = line;
  const number = ledger.find(id);
  const at = `byte ${location.offset}`;
  const isNew =
    location.segment > ends.results.segment ||
    (location.segment === ends.results.segment && location.offset >= ends.results.length);
  if (number < 0 || attempt > ledger.attempt(number)) {
    if (isNew && inspection.isRunning) return;
    const why = number < 0 ? 'no entry has this id' : `the manifest knows of ${ledger.attempt(number)} attempts only`;
    inspection.unknownResults.add(id);
    inspection.report('unknown_result', file, `the line at ${at} is of attempt ${attempt}: ${why}`, id);
    const report = addReport(number, 'optional', line, inspection, texts);
    const { image_filename: name, image_timestamp: taken } = line;
    if (number < 0) unknown.push({ id, name: plainName(name ?? ''), taken, report });
    return;
  }
  if (attempt < ledger.attempt(number)) tally.earlier_results++;
  const reference = line.reference ?? line.pattern;
  if (typeof reference === 'string')
    inspection.references.set(reference, (inspection.references.get(reference) ?? 0) + 1);
  const status = ledger.status(number);
  if (attempt < ledger.attempt(number) || (status !== 'processed' && status !== 'failed')) {
    addReport(number, 'optional', line, inspection, texts);
    return;
  }
  if (ledger.countResult(number) > 1) {
    inspection.report('duplicate_result', file, `the line at ${at} is a further one of attempt ${attempt}`, id);
    return;
  }
  const place = ledger.place(number);
  if (line.processing_successful !== (status === 'processed')) {
    sendBack(number, 'wrong_result', file, `${status}, but the result line at ${at} says otherwise`, inspection);
  } else if (
    status === 'processed' &&
    (place?.segment !== location.segment || place.offset !== location.offset || place.length !== location.length)
  ) {
    const message = `its result line ${place ? differences(location, place) : `stands at ${at}; the manifest names no place`}`;
    inspection.report('misplaced_result', file, message, id);
    inspection.repairs.moved.set(id, location);
  }
  if (status !== 'processed') return;
  const due = rowsDue(number, inspection);
  addReport(number, due, line, inspection, texts);
  if (roisOf(line).length > 0) inspection.series.add(number, due, line);
}

/** How the place of a line differs from the one that the manifest names. */
function differences(found: ResultLocation, named: ResultLocation): string {
  const at = `segment ${found.segment}, byte ${found.offset}`;
  if (found.segment !== named.segment || found.offset !== named.offset)
    return `stands at ${at}; the manifest names segment ${named.segment}, byte ${named.offset}`;
  return `at ${at} is ${found.length} bytes long, not ${named.length} as the manifest says: the end of the line or its text was changed`;
}

function rowsDue(number: number, { ledger, options }: Inspection): RowsDue {
  if (!options.hasTable) return 'optional';
  if (ledger.isTransmitted(number)) return 'required';
  return ledger.isMoving(number) || ledger.isLeft(number) ? 'optional' : 'forbidden';
}

/** Number of the report; null for a result without rows. */
function addReport(
  number: number,
  due: RowsDue,
  line: ResultLine,
  { reports }: Inspection,
  texts: RowTexts,
): number | null {
  return roisOf(line).length > 0 ? reports.add(number, due, texts.ofResult(line)) : null;
}

function sendBack(
  number: number,
  kind: 'missing_result' | 'wrong_result',
  file: string,
  message: string,
  inspection: Inspection,
): void {
  const { ledger, repairs } = inspection;
  const id = ledger.id(number);
  inspection.report(kind, file, message, id);
  repairs.again.add(id);
}
