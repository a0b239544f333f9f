import { describe, expect, it } from 'vitest';
import type { ResultLine } from '../../../src/model/result.ts';
import { fillPast } from '../../../src/sinks/series/fillPast.ts';
import { SeriesReader } from '../../../src/sinks/series/seriesReader.ts';
import { SeriesWriter } from '../../../src/sinks/series/seriesWriter.ts';
import { atEveryCrash, FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';
import { idsIn } from './writeSeries.ts';

const folder = '/results/series';
const image = (i: number): ResultLine => sampleResult({ id: `e${i}`, timestamp: `2025-08-12T13:45:0${i}` });
const images = (from: number, to: number): ResultLine[] => Array.from({ length: to - from }, (_, i) => image(from + i));

async function* inOrder(lines: readonly ResultLine[]): AsyncGenerator<ResultLine> {
  yield* lines;
}

async function open(files: FaultyFiles) {
  const told: string[] = [];
  const writer = await SeriesWriter.open({
    folder,
    files,
    sensors: [],
    hasPast: true,
    warn: message => told.push(message),
  });
  const fill = (reported: readonly ResultLine[], signal = new AbortController().signal, segmentBytes?: number) =>
    fillPast({
      ...{ folder, files, sensors: [], next: writer.next, signal },
      ...(segmentBytes && { segmentBytes }),
      reported: async () => inOrder(reported),
      onBegin: () => told.push('begins'),
    });
  return { writer, fill, told };
}
const look = async (files: FaultyFiles): Promise<string[]> => idsIn(await SeriesReader.look(files, folder));

describe('the past of a series', () => {
  it('of an experiment of an earlier version is made once, and stands before what came meanwhile', async () => {
    const files = new FaultyFiles();
    const { writer, fill, told } = await open(files);
    await writer.append(images(5, 7));
    expect(await fill(images(0, 7))).toBe(5);
    await writer.append(images(7, 8));
    expect(await look(files)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7']);
    expect(told).toEqual(['begins']);
    const again = await open(files);
    expect(await again.fill(images(0, 8))).toBeNull();
    expect(again.told).toEqual([]);
  });

  it('may be in several segments, or none', async () => {
    const files = new FaultyFiles();
    const { writer, fill } = await open(files);
    expect(await fill(images(0, 6), undefined, 1_000)).toBe(6);
    await writer.append(images(6, 8));
    expect(await look(files)).toEqual(images(0, 8).map(({ entry_id }) => entry_id));
    const empty = new FaultyFiles();
    const other = await open(empty);
    expect(await other.fill([])).toBe(0);
    expect(await (await open(empty)).fill([])).toBeNull();
    await other.writer.append(images(0, 1));
    expect(await look(empty)).toEqual(['e0']);
  });

  it('is made again where a segment was damaged', async () => {
    const files = new FaultyFiles();
    const first = await open(files);
    await first.fill([]);
    await first.writer.append(images(0, 4));
    files.put(`${folder}/rows.1000.bin`, 'rubbish');
    const { writer, fill, told } = await open(files);
    await writer.append(images(4, 5));
    expect(await fill(images(0, 5))).toBe(4);
    expect(await look(files)).toEqual(images(0, 5).map(({ entry_id }) => entry_id));
    expect(told).toEqual([expect.stringContaining('does not begin as a segment'), 'begins']);
  });

  it('is given up when the communicator ends, and begun anew the next time', async () => {
    const files = new FaultyFiles();
    const stop = new AbortController();
    const { fill } = await open(files);
    stop.abort(new Error('over'));
    await expect(fill(images(0, 3), stop.signal)).rejects.toThrow('over');
    expect(await look(files)).toEqual([]);
    expect(await (await open(files)).fill(images(0, 3))).toBe(3);
  });

  it('is there once whatever is stopped wherever', async () => {
    const crashes = await atEveryCrash({
      context: () => null,
      prefixes: 3,
      work: async files => {
        const { writer, fill } = await open(files);
        await writer.append(images(3, 5));
        await fill(images(0, 5), undefined, 900);
      },
      check: async files => {
        const { writer, fill } = await open(files);
        await writer.append(images(3, 5));
        await fill(images(0, 5), undefined, 900);
        expect(await look(files)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
      },
    });
    expect(crashes).toBeGreaterThan(100);
  });
});
