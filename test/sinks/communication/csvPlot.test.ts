import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/files/files.ts';
import { openCsvPlot } from '../../../src/sinks/communication/csvPlot.ts';
import { drawInProcess } from '../../../src/sinks/plot/plotProcess.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';
import { writeSeries } from '../series/writeSeries.ts';

const folder = '/results';
const image = (second: number, position = second) =>
  sampleResult({
    id: `e${second}`,
    labels: ['a', 'b'],
    position: i => position + i,
    timestamp: `2025-08-12T13:45:${String(second).padStart(2, '0')}`,
    temperatures: { 'Sensor 1': 20 + second },
  });

const folders: string[] = [];
afterEach(async () => {
  for (const path of folders.splice(0)) await rm(path, { recursive: true });
});
async function realFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'phorest-plot-'));
  folders.push(path);
  return path;
}

function begin(files: FaultyFiles, draw: () => Promise<void> = async () => undefined) {
  const told: string[] = [];
  let drawn = 0;
  const open = openCsvPlot({
    files,
    folder,
    title: 'Run',
    sensors: [],
    alarm: (key, message) => told.push(`alarm ${key}: ${message}`),
    well: key => told.push(`well ${key}`),
    draw: async () => {
      drawn++;
      await draw();
    },
  });
  return { open, told, drawings: () => drawn };
}

/** Positions in the table. */
const rowsIn = (files: FaultyFiles): string[] =>
  linesOf(files.content(join(folder, 'communicating_results.csv'))).map(line => line.split(',').at(-6)!);
const linesOf = (content: Buffer | null): string[] => content!.toString().split('\n').slice(1, -1);

describe('CSV_PLOT', () => {
  it('reports into the table, and draws everything at a flush', async () => {
    const files = new FaultyFiles();
    const { open, told, drawings } = begin(files);
    const sink = await open;
    expect(sink.position()).toEqual({ segment: 0, length: 0 });
    expect(await sink.recover([])).toEqual(new Set());
    await sink.report([image(1), image(2)]);
    await sink.report([image(3)]);
    await sink.flush();
    await sink.flush();
    await sink.close();
    expect(drawings()).toBe(1);
    expect(told).toEqual([]);
    expect(rowsIn(files)).toEqual(['1', '2', '2', '3', '3', '4']);
  });

  it('finds what was reported before a crash and draws it', async () => {
    const files = new FaultyFiles();
    const first = await begin(files).open;
    const position = first.position();
    await first.report([image(1)]);
    const { open, drawings } = begin(files.afterCrash('kill'));
    const sink = await open;
    const [there, missing] = [image(1), image(2)];
    const complete = await sink.recover([
      { result: there, position },
      { result: missing, position: null },
    ]);
    expect([complete.has(there), complete.has(missing)]).toEqual([true, false]);
    await sink.flush();
    expect(drawings()).toBe(1);
    await sink.close();
  });

  it('fails no report for a plot that fails, says so, and says when it is well', async () => {
    const files = new FaultyFiles();
    let broken = true;
    const { open, told } = begin(files, async () => {
      if (broken) throw new Error('no fonts');
    });
    const sink = await open;
    await sink.report([image(1)]);
    await sink.flush();
    expect(told).toEqual(['alarm plot: no fonts']);
    broken = false;
    await sink.report([image(2)]);
    await sink.flush();
    expect(told).toEqual(['alarm plot: no fonts', 'well plot']);
    await sink.close();
  });

  it('rejects a report that the disk does not take, and takes the same again', async () => {
    const files = new FaultyFiles();
    const sink = await begin(files).open;
    files.plan = ({ kind, path }) => (kind === 'write' && path.endsWith('.csv') ? { short: 50 } : null);
    await expect(sink.report([image(1)])).rejects.toMatchObject({ code: 'ENOSPC' });
    files.plan = () => null;
    await sink.report([image(1)]);
    await sink.flush();
    expect(rowsIn(files)).toEqual(['1', '2']);
    await sink.close();
  });
});

describe('plot process', () => {
  async function task() {
    const real = await realFolder();
    const paths = { series: join(real, 'series'), picturePath: join(real, 'processed_data_plot.png') };
    await writeSeries(nodeFiles, paths.series, [image(1)]);
    return { real, ...paths, title: 'Run' };
  }

  it('draws the picture of a series', async () => {
    const { picturePath, ...rest } = await task();
    await drawInProcess({ picturePath, ...rest });
    expect((await sharp(await readFile(picturePath)).metadata()).width).toBe(2400);
  });

  it('says what was wrong there', async () => {
    const wrong = await task();
    await rm(join(wrong.series, 'rows.bin'));
    await mkdir(join(wrong.series, 'rows.bin'));
    await expect(drawInProcess(wrong)).rejects.toThrow(`${wrong.picturePath} was not drawn: EISDIR`);
  });

  it('passes on the last words of a process that dies, and ends one that hangs', async () => {
    const own = await task();
    const dying = join(own.real, 'dying.mjs');
    await writeFile(dying, 'console.error("out of luck"); process.exit(3);');
    await expect(drawInProcess(own, { entry: pathToFileURL(dying) })).rejects.toThrow(/ended with 3 out of luck/);
    const hanging = join(own.real, 'hanging.mjs');
    await writeFile(hanging, 'process.on("message", () => {});');
    await expect(drawInProcess(own, { entry: pathToFileURL(hanging), timeoutMs: 300 })).rejects.toThrow(
      'longer than 300 ms',
    );
    const controller = new AbortController();
    const aborted = drawInProcess(own, { entry: pathToFileURL(hanging), signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await expect(stat(own.picturePath)).rejects.toThrow('ENOENT');
  });

  it('is what a report leads to on a real disk', async () => {
    const real = await realFolder();
    const told: string[] = [];
    const sink = await openCsvPlot({
      files: nodeFiles,
      folder: real,
      title: 'Run',
      sensors: [],
      alarm: (_, message) => told.push(message),
      well: () => undefined,
    });
    await sink.report([image(1), image(2)]);
    await sink.flush();
    await sink.close();
    expect(told).toEqual([]);
    expect((await readFile(join(real, 'processed_data_plot.png'))).subarray(1, 4).toString()).toBe('PNG');
  });
});
