import type { Files } from '../../../src/files/files.ts';
import type { ResultLine } from '../../../src/model/result.ts';
import { SeriesReader } from '../../../src/sinks/series/seriesReader.ts';
import { SeriesWriter, type SeriesWriterOptions } from '../../../src/sinks/series/seriesWriter.ts';

/** Appends results to a series, and reads it. */
export async function writeSeries(
  files: Files,
  folder: string,
  results: readonly ResultLine[],
  options: Partial<SeriesWriterOptions> = {},
): Promise<SeriesReader> {
  const warn = (message: string): void => {
    throw new Error(message);
  };
  const writer = await SeriesWriter.open({ folder, files, sensors: [], warn, ...options });
  for (let i = 0; i < results.length; i += 16) await writer.append(results.slice(i, i + 16));
  return SeriesReader.look(files, folder);
}

/** Ids of all rows, in order. */
export async function idsIn(reader: SeriesReader): Promise<string[]> {
  const ids: string[] = [];
  for (const segment of reader.segments) for await (const { row } of segment.read(0)) ids.push(row.id);
  return ids;
}
