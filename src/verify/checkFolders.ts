import { basename, join } from 'node:path';
import { endOfLines } from '../files/appendDurably.ts';
import { SegmentedFile } from '../files/segmentedFile.ts';
import { archiveFolder } from '../manifest/archive.ts';
import { isCapturedName, ownImageTime } from '../manifest/orphanEntry.ts';
import { leasesFile, readHolders } from '../manifest/stageLeases.ts';
import { plainName } from '../model/compression.ts';
import type { ImageNames } from './imageNames.ts';
import { capturedFolders, withoutEntry } from './imageNames.ts';
import type { Inspection } from './inspection.ts';

const temporary = /\.(\d+)-[0-9a-f]{8}\.tmp$/;
/** A file this young may be a living process's: an image about to get its entry, a temporary file being written; ms. */
const youngMs = 60_000;

/**
 * Looks through the folders for what nothing else tells of: captured images without an entry, what killed writers left, and
 * files that end within a line.
 */
export async function checkFolders(inspection: Inspection, names: ImageNames): Promise<void> {
  const { paths, files } = inspection.options;
  const suspects: string[] = [];
  for (const folder of await capturedFolders(inspection.options)) {
    for (const name of await files.list(folder)) {
      const path = join(folder, name);
      if (isCapturedName(plainName(name)) && !names.has(path)) suspects.push(path);
      else await checkTemporary(path, inspection);
    }
  }
  await checkOrphans(suspects, inspection);
  const others = [paths.backup, paths.results, paths.flags, paths.status, paths.logs, paths.generatedFiles];
  for (const folder of [archiveFolder(paths.manifestFile), ...others]) {
    for (const name of await files.list(folder)) await checkTemporary(join(folder, name), inspection);
  }
  if (inspection.isRunning) return;
  await checkEnd('processing_results', 'jsonl', inspection);
  await checkEnd('communicating_results', 'csv', inspection);
}

async function checkTemporary(path: string, inspection: Inspection): Promise<void> {
  const { isAlive, files, now } = inspection.options;
  const pid = temporary.exec(path)?.[1];
  if (pid === undefined || isAlive(Number(pid))) return;
  // The pid may be that of a process on another machine.
  const stat = await files.stat(path);
  if (!stat || (inspection.isRunning && Math.abs(now() - stat.mtimeMs) < youngMs)) return;
  inspection.report('stray_temporary', path, `left by process ${pid}, which is gone`);
  inspection.repairs.temporaries.push(path);
}

/** An image may have got its entry since the manifest was read; one that a living collector has just written soon will. */
async function checkOrphans(suspects: readonly string[], inspection: Inspection): Promise<void> {
  if (suspects.length === 0) return;
  const { files, liveness, now } = inspection.options;
  const { collector } = await readHolders(leasesFile(inspection.options.paths.flags), inspection.options.files);
  const isCollecting = collector !== undefined && liveness(collector) !== 'gone';
  const { left, newest } = await withoutEntry(suspects, inspection.options);
  const last: string[] = [];
  for (const path of left) {
    const stat = await files.stat(path);
    if (!stat || (isCollecting && Math.abs(now() - stat.mtimeMs) < youngMs)) continue;
    if (stat.size === 0) {
      inspection.report('empty_image', path, 'the image has 0 bytes, and no entry');
      continue;
    }
    inspection.repairs.orphans.push(path);
    if ((ownImageTime(plainName(basename(path))) ?? '') > newest) last.push(path);
    else reportOrphan(path, inspection);
  }
  // The end of a process between an image and its entry leaves one, and the collector knows what to do about it.
  if (last.length > 1 || inspection.isRunning) for (const path of last) reportOrphan(path, inspection);
  else
    for (const path of last)
      inspection.note(
        `${path} was written at the end of the process, and has no entry yet; the next start takes it in`,
      );
}

function reportOrphan(path: string, inspection: Inspection): void {
  inspection.report('orphan_image', path, `no entry knows of ${basename(path)}`);
}

async function checkEnd(stem: string, extension: string, inspection: Inspection): Promise<void> {
  const { paths, files } = inspection.options;
  const segmented = new SegmentedFile(files, paths.results, stem, extension);
  for (const segment of await segmented.segments()) {
    const path = segmented.path(segment);
    if (inspection.changedTable.has(path)) continue;
    const size = (await files.stat(path))?.size ?? 0;
    if (size === 0) continue;
    const file = await files.open(path, 'r');
    try {
      const end = await endOfLines(file, size);
      if (end === size) continue;
      inspection.report('torn_line', path, `it ends within a line, ${size - end} bytes behind the last whole one`);
      inspection.repairs.torn.push(path);
    } finally {
      await file.close();
    }
  }
}
