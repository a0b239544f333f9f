import { dirname } from 'node:path';
import { makeFolder } from './durableNames.ts';
import { type Files, nodeFiles } from './files.ts';
import { readBytes } from './readBytes.ts';
import { writeAtomic } from './writeAtomic.ts';

/** The run that a root holds; `start` continues it. */
export interface RunRecord {
  run_id: string;
  /** UTC. */
  started: string;
}

/** The run of a root; begins one where there is none. A damaged record is replaced: it names the run and nothing more. */
export async function continueRun(file: string, files: Files, begin: () => RunRecord): Promise<RunRecord> {
  try {
    const record = JSON.parse((await readBytes(nodeFiles, file)).toString()) as Partial<RunRecord> | null;
    const { run_id, started } = record ?? {};
    if (typeof run_id === 'string' && !Number.isNaN(Date.parse(started ?? ''))) return record as RunRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
  }
  const record = begin();
  await makeFolder(files, dirname(file));
  await writeAtomic(files, file, `${JSON.stringify(record)}\n`);
  return record;
}
