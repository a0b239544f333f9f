import { expect } from 'vitest';
import type { Files } from '../../src/files/files.ts';
import type { SegmentPosition } from '../../src/files/segmentedFile.ts';
import type { ResultLocation } from '../../src/model/entry.ts';
import type { ResultLine } from '../../src/model/result.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { type BadLine, openResultsLog } from '../../src/sinks/results/resultsLog.ts';
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
      const read: (number | null)[] = [];
      let last = start;
      for await (const { row, end } of csv.rows(start)) {
        read.push(row.position);
        last = end;
      }
      expect(read.toSorted()).toEqual(wanted);
      expect(last).toEqual(csv.position());
      // As others read it: whole lines, one header a segment.
      const rows = files.paths().flatMap(path => files.content(path)!.toString().split('\n').slice(1, -1));
      expect(rows.map(row => Number(row.split(',')[3])).toSorted()).toEqual(wanted);
    },
  });
}
