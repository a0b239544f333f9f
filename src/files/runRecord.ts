import { dirname } from 'node:path';
import { z } from 'zod';
import { makeFolder } from './durableNames.ts';
import { type Files, nodeFiles } from './files.ts';
import { readSoundJson } from './readJson.ts';
import { writeAtomic } from './writeAtomic.ts';

const schema = z.object({
  run_id: z.string(),
  /** UTC. */
  started: z.string().refine(time => !Number.isNaN(Date.parse(time))),
});

/** The run that a root holds; `start` continues it. */
export type RunRecord = z.infer<typeof schema>;

/** The run of a root; begins one where there is none. A damaged record is replaced: it names the run and nothing more. */
export async function continueRun(file: string, files: Files, begin: () => RunRecord): Promise<RunRecord> {
  const found = await readSoundJson(nodeFiles, file, schema);
  if (found) return found;
  const record = begin();
  await makeFolder(files, dirname(file));
  await writeAtomic(files, file, `${JSON.stringify(record)}\n`);
  return record;
}
