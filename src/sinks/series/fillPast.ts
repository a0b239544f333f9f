import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeFolder, removeFile } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { moveFile } from '../../files/moveFile.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { ResultLine } from '../../model/result.ts';
import { emptyLayout } from './seriesFormat.ts';
import { SeriesReader, seriesFiles } from './seriesReader.ts';
import { rowKey } from './seriesRow.ts';
import { missingBefore, SeriesWriter } from './seriesWriter.ts';

/** Rows that are written together. */
const batchRows = 16;
/** After each batch so many times as long as it took is rested: it takes a fifth of a core at most. */
const restRatio = 4;

export interface FillPastOptions {
  /** `results/series`. */
  folder: string;
  files: Files;
  sensors: readonly string[];
  segmentBytes?: number;
  /** Number of the next segment that is begun. */
  next: number;
  /** All results that were reported until it is called, in order. */
  reported: (signal: AbortSignal) => Promise<AsyncIterable<ResultLine>>;
  /** Told before it begins. */
  onBegin: () => void;
  signal: AbortSignal;
}

/**
 * Makes the rows that are missing before a gap of the series (see `gap`): of what was reported before there was a series, or stood in a
 * segment that was damaged. It reads all results, takes its time, and disturbs no writer; what it has is complete before it becomes
 * a part of the series. Cut short, it begins anew the next time.
 *
 * @returns how many images they are; null where there is no gap.
 * @throws the file system's errors; the signal's reason.
 */
export async function fillPast(options: FillPastOptions): Promise<number | null> {
  const { folder, files, sensors, segmentBytes, next, reported, onBegin, signal } = options;
  const before = missingBefore(await seriesFiles(files, folder).segments(), next);
  if (before === null) return null;
  onBegin();
  const made = join(folder, 'past');
  await makeFolder(files, made);
  for (const name of await files.list(made)) await removeFile(files, join(made, name));
  // In this order: what is reported between the two is known twice, and not missed.
  const lines = await reported(signal);
  const known = await keysIn(files, folder, signal);
  const writer = await SeriesWriter.open({
    folder: made,
    files,
    sensors,
    warn: () => undefined,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  });
  let images = 0;
  let batch: ResultLine[] = [];
  let began = performance.now();
  for await (const line of lines) {
    if (known.has(rowKey(line))) continue;
    signal.throwIfAborted();
    images++;
    batch.push(line);
    if (batch.length < batchRows) continue;
    await writer.append(batch);
    batch = [];
    await wait((performance.now() - began) * restRatio, undefined, { signal });
    began = performance.now();
  }
  await writer.append(batch);
  await writer.finish();
  await place(made, before, files, folder);
  return images;
}

async function keysIn(files: Files, folder: string, signal: AbortSignal): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const segment of (await SeriesReader.look(files, folder)).segments) {
    for await (const { row } of segment.read(0)) {
      signal.throwIfAborted();
      keys.add(`${row.id} ${row.attempt}`);
    }
  }
  return keys;
}

/** The segment whose number tells that nothing is missing any more comes last. */
async function place(made: string, before: number, files: Files, folder: string): Promise<void> {
  const rows = seriesFiles(files, folder);
  const taken = new Set(await rows.segments());
  const segments = await seriesFiles(files, made).segments();
  const free: number[] = [];
  for (let number = before - 1; free.length < segments.length; number--) if (!taken.has(number)) free.unshift(number);
  for (const [i, segment] of segments.entries()) {
    for (let level = 1; await files.stat(seriesFiles(files, made, level).path(segment)); level++) {
      const to = seriesFiles(files, folder, level).path(free[i]!);
      await removeFile(files, to);
      await moveFile(files, seriesFiles(files, made, level).path(segment), to);
    }
    await moveFile(files, seriesFiles(files, made).path(segment), rows.path(free[i]!));
  }
  if (segments.length === 0)
    await writeAtomic(files, rows.path(before - 1), emptyLayout(`none before ${before}`).bytes);
}
