import { SegmentedFile } from '../files/segmentedFile.ts';
import { counted } from '../model/quantity.ts';
import { checkEntries } from './checkEntries.ts';
import { checkFolders } from './checkFolders.ts';
import { checkJournals } from './checkJournals.ts';
import { checkResults } from './checkResults.ts';
import { checkTable, openTable } from './checkTable.ts';
import { ImageNames } from './imageNames.ts';
import { Inspection, type InspectionOptions } from './inspection.ts';
import { isPipelineRunning } from './isPipelineRunning.ts';
import { RowTexts } from './rowTexts.ts';
import { openShareCheck } from './shareCheck.ts';
import { columnKinds } from './tableColumns.ts';

/**
 * Holds manifest, archive, results, table, images and their copies on the share against each other. It writes nothing and takes no
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
  await checkTable(inspection, table);
  await checkFolders(inspection, names);
  const { left_in_work: left } = inspection.tally;
  if (left > 0)
    inspection.note(
      `${counted(left, 'image was', 'images were')} in flight at the end of the process; the next start finishes ${left === 1 ? 'it' : 'them'}`,
    );
  return inspection;
}
