import { expect } from 'vitest';
import type { Files } from '../../src/files/files.ts';
import type { SegmentPosition } from '../../src/files/segmentedFile.ts';
import type { ResultLocation } from '../../src/model/entry.ts';
import type { ResultLine } from '../../src/model/result.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { type BadLine, openResultsLog } from '../../src/sinks/results/resultsLog.ts';
import { mergeRows } from '../../src/sinks/series/seriesLevels.ts';
import { SeriesReader } from '../../src/sinks/series/seriesReader.ts';
import { SeriesWriter } from '../../src/sinks/series/seriesWriter.ts';
import { openCsv } from '../../src/sinks/table/csv.ts';
import { exclusiveHere } from '../world/exclusiveHere.ts';
import { atEveryCrash } from '../world/faultyFiles.ts';
import { sampleResult } from './sampleResult.ts';

const folder = '/results';
const start: SegmentPosition = { segment: 0, length: 0 };

function line(id: string): Uint8Array {
  const { image_analysis, ...head } = sampleResult({ id, labels: [] });
  return composeResultLine(head, Buffer.from(JSON.stringify(image_analysis)));
}

/**
 * Stops a writer of the results log at every step of five lines in three segments: every acknowledged line stays at its place,
 * none is there twice, and the next one is found. @returns the number of crashes.
 */
export function resultsLogCrashWalk(prefixes: number): Promise<number> {
  const segmentBytes = line('A').length * 2;
  const open = (files: Files) => openResultsLog({ folder, files, exclusive: exclusiveHere(), segmentBytes });
  return atEveryCrash({
    context: () => [] as [string, ResultLocation][],
    prefixes,
    work: async (files, acknowledged) => {
      const log = await open(files);
      const append = async (id: string): Promise<void> => {
        acknowledged.push([id, await log.append(line(id))]);
      };
      await append('A');
      await Promise.all([append('B'), append('C')]);
      await append('D');
    },
    check: async (files, acknowledged) => {
      const log = await open(files);
      const position = await log.position();
      const appended = await log.append(line('E'));
      for (const [id, location] of [...acknowledged, ['E', appended] as const]) {
        expect((await log.read(location)).entry_id).toBe(id);
      }
      expect(await log.find(position, 'E', 1)).toEqual(appended);
      const bad: BadLine[] = [];
      const ids: string[] = [];
      for await (const { line: result } of log.lines(undefined, report => bad.push(report))) ids.push(result.entry_id);
      expect(bad).toEqual([]);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.at(-1)).toBe('E');
    },
  });
}

/**
 * Stops the writer of the table at every step of five images in several segments, of which the manifest had settled a part:
 * every row is there once after the next one has recovered. @returns the number of crashes.
 */
export function csvCrashWalk(prefixes: number): Promise<number> {
  const open = (files: Files) => openCsv({ folder, files, segmentBytes: 420 });
  const image = (id: string, position: number): ResultLine =>
    sampleResult({ id, position, labels: ['a', 'b'], timestamp: `2025-08-12T13:45:0${position % 3}` });
  const settledFirst = image('S', 1);
  const batch = [image('A', 2), image('B', 3), image('C', 4), sampleResult({ id: 'F', failed: true })];
  const wanted = [1, 1, 2, 2, 3, 3, 4, 4];
  return atEveryCrash({
    context: () => ({ from: start, settled: new Set<string>() }),
    prefixes,
    work: async (files, context) => {
      const csv = await open(files);
      await csv.append([settledFirst]);
      context.settled.add('S');
      context.from = csv.position();
      await csv.append(batch);
      // The manifest had settled a part of the batch when the process was stopped.
      context.settled.add('B').add('C');
      await files.syncFolder('/elsewhere');
      for (const { entry_id } of batch) context.settled.add(entry_id);
    },
    check: async (files, { from, settled }) => {
      const csv = await open(files);
      const unsettled = [settledFirst, ...batch].filter(({ entry_id }) => !settled.has(entry_id));
      const done = await csv.recover(from, unsettled);
      await csv.append(unsettled.filter(result => !done.has(result)));
      // As others read it: whole lines, one header a segment.
      const rows = files.paths().flatMap(path => files.content(path)!.toString().split('\n').slice(1, -1));
      expect(rows.map(row => Number(row.split(',')[3])).toSorted()).toEqual(wanted);
    },
  });
}

/**
 * Stops the writer of the series at every step of seven images in two segments, with a level: every image that was acknowledged is there,
 * each is there once after it was reported again, and the level says what its rows say. @returns the number of crashes.
 */
export function seriesCrashWalk(prefixes: number): Promise<number> {
  const series = `${folder}/series`;
  const open = (files: Files) =>
    SeriesWriter.open({ folder: series, files, sensors: ['Lid'], warn: message => expect.fail(message) });
  const image = (id: string, labels = ['a', 'b']): ResultLine =>
    sampleResult({ id, labels, timestamp: `2025-08-12T13:45:0${id.charCodeAt(0) % 8}` });
  const batches = [
    [image('A')],
    [image('B'), image('C'), image('D')],
    [image('E'), image('F', ['c']), image('G', ['c'])],
  ];
  const idsIn = async (reader: SeriesReader): Promise<string[]> => {
    const ids: string[] = [];
    for (const segment of reader.segments) for await (const { row } of segment.read(0)) ids.push(row.id);
    return ids;
  };
  const look = (files: Files): Promise<SeriesReader> =>
    SeriesReader.look(files, series, { damaged: error => expect.fail(error.message) });
  return atEveryCrash({
    context: () => [] as string[],
    prefixes,
    work: async (files, acknowledged) => {
      const writer = await open(files);
      for (const batch of batches) {
        await writer.append(batch);
        acknowledged.push(...batch.map(({ entry_id }) => entry_id));
      }
      await writer.finish();
    },
    check: async (files, acknowledged) => {
      const writer = await open(files);
      expect((await idsIn(await look(files))).slice(0, acknowledged.length)).toEqual(acknowledged);
      for (const batch of batches) await writer.append(batch);
      await writer.append([image('H', ['c'])]);
      await writer.finish();
      const reader = await look(files);
      expect(await idsIn(reader)).toEqual([...'ABCDEFGH']);
      const first = reader.segments[0]!;
      const rows = [];
      for await (const { row } of first.read(0, 0, 4)) rows.push(row);
      for await (const { row } of first.read(1, 0, 1)) expect(row).toEqual(mergeRows(rows));
    },
  });
}
