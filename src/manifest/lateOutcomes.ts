import { join } from 'node:path';
import { appendDurably } from '../files/appendDurably.ts';
import type { Files } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import type { Entry } from '../model/entry.ts';

/**
 * Stages that have a list: `syncer` of what was copied, `ring_buffer` of what it has brought back although it was not, while copying was
 * off. Each stage is exclusive, so that each list has one writer.
 */
export type LateStage = 'syncer' | 'ring_buffer';

/** What a stage has done with an archived entry. It says something of this revision of it, and of no other. */
export interface LateOutcome {
  entry_id: string;
  rev: number;
  /** Top-level fields that take these values. */
  set: Partial<Entry>;
}

const suffix = (stage: LateStage): string => `.${stage}.jsonl`;

/** The list of a segment: in the archive's folder, wherever the segment is. */
export function lateOutcomesFile(archive: string, segment: string, stage: LateStage): string {
  return join(archive, segment.replace(/\.jsonl\.gz$/, suffix(stage)));
}

/** The segment whose list has this name; null for any other file. */
export function segmentOfList(name: string, stage: LateStage): string | null {
  return name.startsWith('entries.') && name.endsWith(suffix(stage))
    ? `${name.slice(0, -suffix(stage).length)}.jsonl.gz`
    : null;
}

/** Adds outcomes to the list of a segment, durably. One writer at a time. */
export async function appendLateOutcomes(
  files: Files,
  archive: string,
  segment: string,
  stage: LateStage,
  outcomes: readonly LateOutcome[],
): Promise<void> {
  const path = lateOutcomesFile(archive, segment, stage);
  const isNew = (await files.stat(path)) === null;
  const text = outcomes.map(outcome => `${JSON.stringify(outcome)}\n`).join('');
  await appendDurably(files, path, Buffer.from(text), { keep: 'nothing', folder: isNew ? archive : null });
}

/** The outcomes in a segment's list. A line that can't be read counts for nothing: the work is done again. */
export async function readLateOutcomes(
  files: Files,
  archive: string,
  segment: string,
  stage: LateStage,
): Promise<LateOutcome[]> {
  let bytes: Buffer;
  try {
    bytes = await readBytes(files, lateOutcomesFile(archive, segment, stage));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return bytes
    .toString()
    .split('\n')
    .flatMap(line => parse(line) ?? []);
}

function parse(line: string): LateOutcome | null {
  try {
    const { entry_id: id, rev, set } = JSON.parse(line) as Record<keyof LateOutcome, unknown>;
    const isOutcome = typeof id === 'string' && typeof rev === 'number' && typeof set === 'object' && set !== null;
    return isOutcome ? { entry_id: id, rev, set } : null;
  } catch {
    return null;
  }
}

/** The entries of a segment with what came of them since they were archived. */
export async function withLateOutcomes(
  files: Files,
  archive: string,
  segment: string,
  entries: readonly Entry[],
): Promise<Entry[]> {
  const outcomes = new Map<string, LateOutcome>();
  for (const outcome of await readLateOutcomes(files, archive, segment, 'syncer'))
    outcomes.set(outcome.entry_id, outcome);
  return entries.map(entry => {
    const outcome = outcomes.get(entry.entry_id);
    return outcome?.rev === entry.rev ? { ...entry, ...outcome.set } : entry;
  });
}
