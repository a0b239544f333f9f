import { describe, expect, it } from 'vitest';
import type { ResultLine } from '../../src/model/result.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { openResultsLog } from '../../src/sinks/results/resultsLog.ts';
import { SeriesReader } from '../../src/sinks/series/seriesReader.ts';
import { SeriesWriter } from '../../src/sinks/series/seriesWriter.ts';
import { openCsv } from '../../src/sinks/table/csv.ts';
import { exclusiveHere } from '../world/exclusiveHere.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { sampleResult } from './sampleResult.ts';

const folder = '/results';

/** A file system on which no file is longer than this: a write takes what goes in, and the next one nothing. */
function limited(maxBytes: number): FaultyFiles {
  const files = new FaultyFiles();
  files.plan = ({ kind, path, length }) => {
    if (kind !== 'write') return null;
    const room = maxBytes - (files.content(path)?.length ?? 0);
    if (room <= 0) return { error: 'EFBIG' };
    return length > room ? { short: room } : null;
  };
  return files;
}

function line(id: string, labels: string[] = []): Uint8Array {
  const { image_analysis, ...head } = sampleResult({ id, labels });
  return composeResultLine(head, Buffer.from(JSON.stringify(image_analysis)));
}

describe('on a file system whose files end before a segment does', () => {
  it.each([0, 1, 40])('the results go on in a new segment (%i bytes are left of the one before)', async spare => {
    const files = limited(line('A').length * 2 + spare);
    const log = await openResultsLog({ folder, files, exclusive: exclusiveHere() });
    const names = ['A', 'B', 'C', 'D', 'E'];
    const locations = [
      ...(await Promise.all(names.map(name => log.append(line(name))))),
      await log.append(line('F')),
      await log.append(line('G')),
    ];
    expect(locations.map(({ segment }) => segment)).toEqual([0, 0, 1, 1, 2, 2, 3]);
    for (const [i, name] of [...names, 'F', 'G'].entries()) expect((await log.read(locations[i]!)).entry_id).toBe(name);
    const read: string[] = [];
    for await (const { line: result } of log.lines(undefined, bad => expect(bad).toBeNull()))
      read.push(result.entry_id);
    expect(read).toEqual([...names, 'F', 'G']);
    for (const path of files.paths()) expect(files.content(path)!.at(-1)).toBe(0x0a);
  });

  it('another writer, and one that opens later, follow into it', async () => {
    const files = limited(line('A').length * 2 + 9);
    const options = { folder, files, exclusive: exclusiveHere() };
    const [one, other] = [await openResultsLog(options), await openResultsLog(options)];
    const segments: number[] = [];
    for (const log of [one, one, one, other, other, await openResultsLog(options)])
      segments.push((await log.append(line('A'))).segment);
    expect(segments).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('a line that no file takes is refused, and the others go on', async () => {
    const files = limited(line('A').length + 5);
    const log = await openResultsLog({ folder, files, exclusive: exclusiveHere() });
    await log.append(line('A'));
    await expect(log.append(line('far', ['too', 'long', 'for', 'any', 'file']))).rejects.toMatchObject({
      code: 'EFBIG',
    });
    expect((await log.read(await log.append(line('B')))).entry_id).toBe('B');
  });

  it('the table goes on in a new segment with its header, and no image is split', async () => {
    const files = limited(500);
    const csv = await openCsv({ folder, files });
    const image = (position: number): ResultLine => sampleResult({ labels: ['a', 'b'], position });
    for (let i = 0; i < 6; i++) await csv.append([image(i)]);
    await csv.append([image(6)]);
    const rows = files.paths().flatMap(path => files.content(path)!.toString().split('\n').slice(1, -1));
    expect(rows.map(row => Number(row.split(',')[3])).sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
    expect(files.paths().length).toBeGreaterThan(2);
    for (const path of files.paths()) {
      const lines = files.content(path)!.toString().split('\n');
      expect([lines[0]!.startsWith('timestamp,ROI-label'), lines.at(-1), lines.length % 2]).toEqual([true, '', 0]);
    }
    expect(csv.position()).toEqual((await openCsv({ folder, files })).position());
  });

  it('the series goes on in a new segment', async () => {
    const files = limited(2_000);
    const writer = await SeriesWriter.open({ folder, files, sensors: [], warn: () => undefined });
    for (let i = 0; i < 20; i++) await writer.append([sampleResult({ id: `e${i}` }), sampleResult({ id: `f${i}` })]);
    const { segments } = await SeriesReader.look(files, folder);
    const ids: string[] = [];
    for (const segment of segments) for await (const { row } of segment.read(0)) ids.push(row.id);
    expect(ids).toEqual(Array.from({ length: 20 }, (_, i) => [`e${i}`, `f${i}`]).flat());
    expect(segments.length).toBeGreaterThan(2);
  });
});
