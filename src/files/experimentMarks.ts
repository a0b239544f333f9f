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

/** A line that takes a mark back: the file is only appended to. */
export interface TakenBack {
  readonly takes_back: Pick<ExperimentMark, 'time' | 'liquid' | 'marked'>;
  readonly marked: string;
  readonly user: string;
}

const takenBack = z.looseObject({
  takes_back: z.object({ time: z.string(), liquid: z.string(), marked: z.string() }),
}) as unknown as z.ZodType<TakenBack>;

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

/** Adds a mark, or that one is taken back; durable when it resolves. @throws the file system's errors */
export async function addMark(
  files: Files,
  results: string,
  mark: ExperimentMark | TakenBack,
  lock: Exclusive,
): Promise<void> {
  const file = marksFile(results);
  await makeFolder(files, results);
  const line = Buffer.from(`${JSON.stringify(mark)}\n`);
  await lock(() => appendDurably(files, file, line, { keep: 'nothing', folder: dirname(file) }));
}

/** A mark with its number among all that were made, from 1, which it keeps. */
export type NumberedMark = ExperimentMark & { readonly number: number };

/** The marks that stand, in the order in which they were made; see {@link readNumberedMarks}. */
export async function readMarks(...of: Parameters<typeof readNumberedMarks>): Promise<ExperimentMark[]> {
  return (await readNumberedMarks(...of)).map(({ number, ...mark }) => mark);
}

/**
 * The marks of an experiment that were not taken back, in the order in which they were made; none where there is no file.
 * @param damaged told of each line that is no mark; the others count.
 * @throws the file system's errors
 */
export async function readNumberedMarks(
  files: Pick<Files, 'open'>,
  results: string,
  damaged: (message: string) => void,
): Promise<NumberedMark[]> {
  const file = marksFile(results);
  let text: string;
  try {
    text = String(await readBytes(files, file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const marks: NumberedMark[] = [];
  const gone = new Set<string>();
  const nameOf = ({ time, liquid, marked }: TakenBack['takes_back']): string => JSON.stringify([time, liquid, marked]);
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      if (line.startsWith('{"takes_back":')) gone.add(nameOf(parseJson(line, takenBack).takes_back));
      else marks.push({ ...parseJson(line, schema), number: marks.length + 1 });
    } catch (error) {
      damaged(`${file}, line ${i + 1}: ${(error as Error).message}; the line is left out`);
    }
  }
  return marks.filter(mark => !gone.has(nameOf(mark)));
}
