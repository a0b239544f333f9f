import { dirname, join } from 'node:path';
import { z } from 'zod';
import { clockTime, concentrationOf, type ExperimentStep } from '../model/experimentStep.ts';
import { appendDurably } from './appendDurably.ts';
import { makeFolder } from './durableNames.ts';
import type { Exclusive } from './fileLock.ts';
import type { Files } from './files.ts';
import { readBytes } from './readBytes.ts';
import { parseJson } from './readJson.ts';

/** A step of the experiment that was marked while the run went on, or since. */
export interface ExperimentMark extends ExperimentStep {
  /** When it was marked, UTC. */
  readonly marked: string;
  /** Who marked it. */
  readonly user: string;
}

const schema = z.looseObject({
  time: z.string().refine(text => !Number.isNaN(clockTime(text)), { error: 'is no time' }),
  liquid: z.string(),
  refractive_index: z.number().optional(),
  concentration: z
    .string()
    .refine(text => concentrationOf(text) !== null, { error: 'is no concentration' })
    .optional(),
  marked: z.string().catch(''),
  user: z.string().catch(''),
}) as unknown as z.ZodType<ExperimentMark>;

/** `results_dir/marks.jsonl`: a line a mark, never rewritten. */
export const marksFile = (results: string): string => join(results, 'marks.jsonl');

/** Adds a mark; durable when it resolves. @throws the file system's errors */
export async function addMark(files: Files, results: string, mark: ExperimentMark, lock: Exclusive): Promise<void> {
  const file = marksFile(results);
  await makeFolder(files, results);
  const line = Buffer.from(`${JSON.stringify(mark)}\n`);
  await lock(() => appendDurably(files, file, line, { keep: 'nothing', folder: dirname(file) }));
}

/**
 * The marks of an experiment, in the order in which they were made; none where there is no file.
 * @param damaged told of each line that is no mark; the others count.
 * @throws the file system's errors
 */
export async function readMarks(
  files: Pick<Files, 'open'>,
  results: string,
  damaged: (message: string) => void,
): Promise<ExperimentMark[]> {
  const file = marksFile(results);
  let text: string;
  try {
    text = String(await readBytes(files, file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const marks: ExperimentMark[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      marks.push(parseJson(line, schema));
    } catch (error) {
      damaged(`${file}, line ${i + 1}: ${(error as Error).message}; the line is left out`);
    }
  }
  return marks;
}
