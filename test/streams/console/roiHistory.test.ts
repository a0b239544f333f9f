import { appendFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { firstValueFrom, ReplaySubject, type Subscription } from 'rxjs';
import { filter } from 'rxjs/operators';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Files, nodeFiles } from '../../../src/files/files.ts';
import { localIso } from '../../../src/model/localTime.ts';
import type { RoiHistory } from '../../../src/model/roiHistory.ts';
import { roiHistory$ } from '../../../src/streams/console/roiHistory.ts';
import { sampleResult } from '../../sinks/sampleResult.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';

const t0 = new Date(2026, 10, 22, 12).getTime();
const labels = ['001A_N', '001A_S', '002B_N'];
/** Result number n: taken n seconds after t0, the first ROI at 100 + n / 1000. */
const line = (n: number, fields: Parameters<typeof sampleResult>[0] = {}): string =>
  `${JSON.stringify(sampleResult({ id: `E${n}`, labels, position: i => 100 * (i + 1) + n / 1000, timestamp: localIso(t0 + n * 1000), temperatures: { T: n }, ...fields }))}\n`;
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => line(from + i)).join('');
const seconds = ({ samples }: RoiHistory): number[] => samples.map(({ at }) => Math.round((at - t0) / 1000));

let subscription: Subscription | undefined;
afterEach(() => {
  subscription?.unsubscribe();
  vi.useRealTimers();
});

describe('roiHistory$ on real files', () => {
  let folder: string;
  let resultsFile: string;
  const segment = (n: number): string => join(folder, `processing_results.${n}.jsonl`);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phorest-history-'));
    resultsFile = join(folder, 'processing_results.jsonl');
  });
  afterEach(async () => {
    subscription?.unsubscribe();
    await rm(folder, { recursive: true, force: true });
  });

  function watch(options: { mostSamples?: number; pastSamples?: number; resultsFile?: string } = {}, files?: Files) {
    const histories$ = new ReplaySubject<RoiHistory>();
    const errors: string[] = [];
    subscription = roiHistory$(
      { resultsFile, onError: ({ message }) => errors.push(message), lookEveryMs: 50, ...options },
      files ? { files } : {},
    ).subscribe(histories$);
    const until = (wanted: (history: RoiHistory) => boolean): Promise<RoiHistory> =>
      firstValueFrom(histories$.pipe(filter(wanted)));
    return { until, errors, first: () => firstValueFrom(histories$) };
  }

  it('gives all results of a short run, then those that come', async () => {
    await writeFile(resultsFile, line(0) + line(1, { failed: true }) + line(2));
    const { until } = watch();
    const past = await until(({ samples }) => samples.length === 2);
    expect(past.labels).toEqual(labels);
    expect([...past.baseline]).toEqual([100, 200, 300]);
    expect(seconds(past)).toEqual([0, 2]);
    expect([...past.samples[1].positions]).toEqual([100.002, 200.002, 300.002]);
    expect(past.samples[1].temperatures).toEqual({ T: 2 });
    await appendFile(resultsFile, line(3));
    expect(seconds(await until(({ samples }) => samples.length === 3))).toEqual([0, 2, 3]);
    expect(seconds(past)).toEqual([0, 2]);
  });

  it('begins empty where there is nothing, and sees the first results come', async () => {
    const deep = join(folder, 'results');
    const { first, until } = watch({ resultsFile: join(deep, 'processing_results.jsonl') });
    expect(await first()).toEqual({ labels: [], baseline: Float64Array.of(), samples: [] });
    await mkdir(deep);
    await writeFile(join(deep, 'processing_results.jsonl'), line(0));
    expect([...(await until(({ samples }) => samples.length === 1)).baseline]).toEqual([100, 200, 300]);
  });

  it('reads few lines of a long run: the ends at once, then ever more between, more of the recent', async () => {
    await writeFile(resultsFile, lines(0, 3_000));
    let bytes = 0;
    const counting: Files = {
      ...nodeFiles,
      async open(path, flags) {
        const file = await nodeFiles.open(path, flags);
        const read = async (into: Uint8Array, position: number): Promise<number> => {
          const length = await file.read(into, position);
          bytes += length;
          return length;
        };
        return Object.assign(Object.create(file), { read, size: () => file.size(), close: () => file.close() });
      },
    };
    const { first, until } = watch({ pastSamples: 100 }, counting);
    const early = seconds(await first());
    expect(early).toEqual([0, 2998, 2999]);
    const past = seconds(await until(({ samples }) => samples.length >= 80));
    expect(past.length).toBeLessThanOrEqual(103);
    const thirds = [0, 1000, 2000].map(from => past.filter(n => n >= from && n < from + 1000).length);
    expect(Math.min(...thirds)).toBeGreaterThanOrEqual(15);
    expect(thirds[2]).toBeGreaterThan(thirds[0]);
    expect(past.filter(n => n >= 2_950).length).toBeGreaterThanOrEqual(15);
    // The first chunk, and per sample a line and a half with 4 kB to spare: not the 5 MB of it.
    expect(bytes).toBeLessThan((1 << 20) + 100 * 8192 + 65536);
  });

  it('goes over all segments, and passes compressed ones over but for the baseline', async () => {
    await writeFile(`${resultsFile}.gz`, gzipSync(lines(0, 50)));
    await writeFile(segment(1), lines(50, 100));
    await writeFile(segment(2), lines(100, 150));
    const { until } = watch();
    const past = await until(({ samples }) => samples.length >= 101);
    expect([...past.baseline]).toEqual([100, 200, 300]);
    expect(seconds(past)).toEqual([0, ...Array.from({ length: 100 }, (_, i) => 50 + i)]);
    await writeFile(segment(3), line(150));
    await until(({ samples }) => samples.length === 102);
    await writeFile(`${segment(2)}.gz`, gzipSync(lines(100, 150)));
    await rm(segment(2));
    await appendFile(segment(3), line(151));
    expect(seconds(await until(({ samples }) => samples.length === 103)).at(-1)).toBe(151);
  });

  it('waits for the end of a line, and passes over what is none', async () => {
    await writeFile(resultsFile, `${line(0)}rubbish\n${line(1).slice(0, 300)}`);
    const { until } = watch();
    expect(seconds(await until(({ samples }) => samples.length === 1))).toEqual([0]);
    await appendFile(resultsFile, line(1).slice(300));
    expect(seconds(await until(({ samples }) => samples.length === 2))).toEqual([0, 1]);
  });

  it('begins anew with a new run', async () => {
    await writeFile(resultsFile, lines(0, 20));
    const { until } = watch();
    await until(({ samples }) => samples.length === 20);
    await truncate(resultsFile, 0);
    await appendFile(resultsFile, line(100));
    const anew = await until(({ samples }) => samples.length === 1 && samples[0].at === t0 + 100_000);
    expect(anew.baseline[0]).toBeCloseTo(100.1, 9);
    await rename(resultsFile, join(folder, 'archived.jsonl'));
    await until(({ labels: found, samples }) => samples.length === 0 && found.length === 0);
  });
});

describe('roiHistory$ in virtual time', () => {
  const path = '/results/processing_results.jsonl';

  function begin(files: FaultyFiles) {
    vi.useFakeTimers({ now: t0 });
    const histories: RoiHistory[] = [];
    const errors: string[] = [];
    subscription = roiHistory$(
      { resultsFile: path, onError: ({ message }) => errors.push(message), mostSamples: 20 },
      { files, clock: { now: () => Date.now(), monotonic: () => Date.now() - t0 } },
    ).subscribe(history => histories.push(history));
    return { histories, errors };
  }

  it('tells at most once a second of a busy pipeline, reads the newest two, and keeps a bounded number', async () => {
    const files = new FaultyFiles();
    let text = line(0);
    files.put(path, text);
    const { histories } = begin(files);
    await vi.advanceTimersByTimeAsync(0);
    const before = histories.length;
    for (let n = 1; n <= 400; n++) {
      files.put(path, (text += line(n)));
      await vi.advanceTimersByTimeAsync(50);
    }
    await vi.advanceTimersByTimeAsync(1_100);
    expect(histories.length - before).toBeLessThanOrEqual(22);
    expect(histories.length - before).toBeGreaterThanOrEqual(19);
    expect(seconds(histories.at(-1)!).at(-1)).toBe(400);
    expect(histories.every(({ samples }) => samples.length <= 20)).toBe(true);
    const last = histories.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(histories).toHaveLength(last);
    subscription?.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says once that results can not be read, and goes on when they can', async () => {
    const files = new FaultyFiles();
    files.put(path, line(0));
    const list = files.list.bind(files);
    let broken = true;
    files.list = folder => (broken ? Promise.reject(new Error('EIO: input/output error')) : list(folder));
    const { histories, errors } = begin(files);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(histories).toHaveLength(1);
    expect(errors).toEqual(['EIO: input/output error']);
    broken = false;
    const open = files.open.bind(files);
    files.open = () => Promise.reject(new Error('EIO: it is there and can not be read'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(histories).toHaveLength(1);
    expect(errors).toEqual(['EIO: input/output error', 'EIO: it is there and can not be read']);
    files.open = open;
    await vi.advanceTimersByTimeAsync(1_100);
    expect(seconds(histories.at(-1)!)).toEqual([0]);
  });
});
