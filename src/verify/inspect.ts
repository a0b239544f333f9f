import { join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Files } from '../files/files.ts';
import type { Liveness } from '../files/processIdentity.ts';
import { SegmentedFile } from '../files/segmentedFile.ts';
import { leasesFile, readHolders } from '../manifest/stageLeases.ts';
import type { ProcessIdentity } from '../model/entry.ts';
import { counted } from '../model/quantity.ts';
import { readProcessStatus } from '../sinks/status/readProcessStatus.ts';
import { checkEntries } from './checkEntries.ts';
import { checkFolders } from './checkFolders.ts';
import { checkJournals } from './checkJournals.ts';
import { checkReferences } from './checkReferences.ts';
import { checkResults } from './checkResults.ts';
import { checkSeries } from './checkSeries.ts';
import { checkTable, openTable } from './checkTable.ts';
import { ImageNames } from './imageNames.ts';
import { Inspection, type InspectionOptions } from './inspection.ts';
import { RowTexts } from './rowTexts.ts';
import { openShareCheck } from './shareCheck.ts';
import { columnKinds } from './tableColumns.ts';

/**
 * Holds manifest, archive, results, table, series, images and their copies on the share against each other. It writes nothing and takes no
 * lock, so a pipeline may run meanwhile: what is in motion is not held against it. For that, the ends of what grows are
 * taken first, then the manifest is read, then all else: what stands before those ends the manifest must know, and what the
 * manifest says to be done must be there.
 *
 * Reads each file once (but for the journals, and headers of the table). Memory is about 200 bytes an image: 190 MB at a million.
 *
 * @throws the file system's errors: a disk that can't be read tells nothing of the experiment.
 */
export async function inspect(options: InspectionOptions): Promise<Inspection> {
  const { files, paths } = options;
  const isRunning = await isPipelineRunning(options);
  const end = (stem: string, extension: string) => new SegmentedFile(files, paths.results, stem, extension).current();
  const ends = {
    results: await end('processing_results', 'jsonl'),
    table: await end('communicating_results', 'csv'),
  };
  const inspection = new Inspection(options, { isRunning, ends });
  const names = new ImageNames();
  const share = await openShareCheck(inspection);
  try {
    if (!(await checkEntries(inspection, names, share))) return inspection;
  } finally {
    await share?.close();
  }
  await checkJournals(inspection);
  const table = await openTable(inspection);
  await checkResults(inspection, new RowTexts(columnKinds(table.columns)));
  await checkReferences(inspection);
  await checkTable(inspection, table);
  await checkSeries(inspection);
  await checkFolders(inspection, names);
  const { left_in_work: left } = inspection.tally;
  if (left > 0)
    inspection.note(
      `${counted(left, 'image was', 'images were')} in work at the end of the process; the next start finishes ${left === 1 ? 'it' : 'them'}`,
    );
  return inspection;
}

interface Surroundings {
  paths: ResolvedPaths;
  files: Files;
  liveness: (owner: ProcessIdentity) => Liveness;
}

/** Whether any process works on the experiment, as far as the files tell. One on another machine counts: nobody can ask it. */
async function isPipelineRunning({ paths, files, liveness }: Surroundings): Promise<boolean> {
  for (const holder of Object.values(await readHolders(leasesFile(paths.flags), files)))
    if (liveness(holder) !== 'gone') return true;
  for (const name of await files.list(paths.status)) {
    if (!name.endsWith('.json')) continue;
    const process = await readProcessStatus(files, join(paths.status, name));
    if (process && process.state !== 'stopped' && liveness(process) !== 'gone') return true;
  }
  return false;
}
