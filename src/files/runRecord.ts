import { dirname } from 'node:path';
import { z } from 'zod';
import { makeFolder } from './durableNames.ts';
import type { Files } from './files.ts';
import { readValidJson } from './readJson.ts';
import { writeAtomic } from './writeAtomic.ts';

const schema = z.object({
  run_id: z.string(),
  /** UTC. */
  started: z.string().refine(time => !Number.isNaN(Date.parse(time))),
  /** Absolute paths of the folders from which the run has imported images. */
  imported: z.array(z.string()).optional(),
});

/** The run that a root holds; `start` continues it. */
export type RunRecord = z.infer<typeof schema>;

/** The run of a root; begins one where there is none. A damaged record is replaced: it names the run and nothing more. */
export async function continueRun(file: string, files: Files, begin: () => RunRecord): Promise<RunRecord> {
  const found = await readValidJson(files, file, schema);
  if (found) return found;
  const record = begin();
  await makeFolder(files, dirname(file));
  await writeAtomic(files, file, `${JSON.stringify(record)}\n`);
  return record;
}

/** Notes that the run imports the images of a folder. @param folder absolute */
export async function noteImport(file: string, files: Files, folder: string): Promise<void> {
  const record = await readValidJson(files, file, schema);
  if (!record || record.imported?.includes(folder)) return;
  const imported = [...(record.imported ?? []), folder];
  await writeAtomic(files, file, `${JSON.stringify({ ...record, imported })}\n`);
}

/** Absolute paths of the folders from which the run has imported images, by any process. */
export async function importedFolders(file: string, files: Files): Promise<readonly string[]> {
  return (await readValidJson(files, file, schema))?.imported ?? [];
}
