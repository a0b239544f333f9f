import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type AnalysisPool, type AnalysisPoolOptions, createAnalysisPool } from '../../src/analysis/analysisPool.ts';
import { RoiOutsideFrameError } from '../../src/analysis/roiOutsideFrameError.ts';
import { WorkerDiedError } from '../../src/analysis/workerDiedError.ts';
import { BadImageError } from '../../src/image/badImageError.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { encodePng } from '../../src/image/encodeImage.ts';
import type { AnalysedFrame, AnalysisJob } from '../../src/model/analysisJob.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { type Estimator, estimators } from '../../src/model/method.ts';
import { analyseFrame } from '../world/analyseFrame.ts';

let folder = '';
let image = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-pool-'));
  image = join(folder, 'frame.png');
  const data = Uint16Array.from(
    { length: 100 * 20 },
    (_, i) => 100 + 900 * Math.exp(-(((i % 100) - 40) ** 2) / 200) + (i % 7),
  );
  await sharp(data, { raw: { width: 100, height: 20, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toFile(image);
});
afterAll(() => rm(folder, { recursive: true }));

const pools: AnalysisPool[] = [];
const poolOf = (options: AnalysisPoolOptions): AnalysisPool => {
  const pool = createAnalysisPool(options);
  pools.push(pool);
  return pool;
};
afterEach(() => Promise.all(pools.splice(0).map(pool => pool.destroy())));

const job = (path: string, size: [number, number] = [20, 100]): AnalysisJob => ({
  path,
  rois: { rois: [{ label: 'A', flip: false, coords: [0, 0], size }], imageAngle: 0 },
  method: 'gaussian',
  estimator: 'rows',
  numberOfSubRois: 0,
  keepValues: false,
});

/** A PNG with a chunk of data after those of its image, which readers ignore. */
function withMoreData(png: Buffer): Buffer {
  const chunk = Buffer.from('00000004494441540102030400000000', 'hex');
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 12)), 12);
  return Buffer.concat([png.subarray(0, -12), chunk, png.subarray(-12)]);
}

/** A worker that does with a job what its path says. */
const actor = new URL('./actingWorker.ts', import.meta.url);

test('analyses in its threads; more jobs than threads wait their turn', async () => {
  const pool = poolOf({ workers: 2 });
  expect(pool.size).toBe(2);
  const frames = await Promise.all(Array.from({ length: 7 }, () => pool.analyse(job(image))));
  for (const frame of frames) {
    expect(frame).toMatchObject({ width: 100, height: 20, depth: 16, rois: 1, rowsFitted: 20, rowsRejected: {} });
    expect(frame.positions[0]).toBeCloseTo(40, 1);
    const [statistics, roi] = JSON.parse(new TextDecoder().decode(frame.imageAnalysis));
    expect(statistics).toEqual(frame.statistics);
    expect(roi.position).toBe(frame.positions[0]);
    expect(frame.decodeMs).toBeGreaterThan(0);
    expect(frame.analyseMs).toBeGreaterThan(0);
  }
});

describe('pixels that are still in memory', () => {
  const frame = (depth: 8 | 16, width: number, height: number): Pixels => {
    const value = (_: unknown, i: number): number =>
      20 + ((i % width) ** 2 % 97) + 90 * Math.exp(-(((i % 100) - 40) ** 2) / 200);
    const count = { length: width * height };
    return {
      width,
      height,
      depth,
      data: depth === 16 ? Uint16Array.from(count, value) : Uint8Array.from(count, value),
    };
  };
  /** Another copy, which may be given away. */
  const copy = (pixels: Pixels): Pixels => ({ ...pixels, data: pixels.data.slice() });
  const text = ({ imageAnalysis }: AnalysedFrame): string => new TextDecoder().decode(imageAnalysis);

  test.each([
    ['8 bits', 8, 100, 20, 1],
    ['16 bits', 16, 100, 20, 1],
    ['a frame that threads share', 16, 1100, 1000, 2],
  ] as const)('give the bits that the file gives: %s', async (_what, depth, width, height, workers) => {
    const pool = poolOf({ workers });
    const pixels = frame(depth, width, height);
    const path = join(folder, `${width} ${depth}.png`);
    await writeFile(path, await encodePng(pixels));
    for (const estimator of estimators) {
      const from = { ...job(path, [height, width]), estimator };
      const decoded = await pool.analyse(from);
      const given = await pool.analyse({ ...from, path: '/not/there.png', pixels: copy(pixels) });
      expect(text(given)).toBe(text(decoded));
      expect(given.statistics).toEqual(decoded.statistics);
    }
  });

  test('that are a part of larger memory are left as they are', async () => {
    const pool = poolOf({ workers: 1 });
    const pixels = frame(8, 100, 20);
    const larger = new Uint8Array(2 * pixels.data.length);
    larger.set(pixels.data, 10);
    const part = { ...pixels, data: larger.subarray(10, 10 + pixels.data.length) };
    const whole = await pool.analyse({ ...job('/not/there.png'), pixels: copy(pixels) });
    expect(text(await pool.analyse({ ...job('/not/there.png'), pixels: part }))).toBe(text(whole));
    expect(larger.subarray(10, 10 + pixels.data.length)).toEqual(pixels.data);
  });
});

describe('errors keep their kind on the way from the thread', () => {
  test('of the item', async () => {
    const pool = poolOf({ workers: 1 });
    const text = join(folder, 'text.png');
    await writeFile(text, 'no image');
    const bad = await pool.analyse(job(text)).catch((error: unknown) => error);
    expect(bad).toBeInstanceOf(BadImageError);
    expect(bad).toMatchObject({ kind: 'bad_image', file: text, name: 'BadImageError' });
    expect((bad as Error).message).toMatch(new RegExp(`^${text}: not a readable image`));
    const outside = await pool.analyse(job(image, [21, 100])).catch((error: unknown) => error);
    expect(outside).toBeInstanceOf(RoiOutsideFrameError);
    expect(outside).toMatchObject({ kind: 'roi_outside_frame', label: 'A' });
    // And the thread is well.
    expect((await pool.analyse(job(image))).rowsFitted).toBe(20);
  });

  test('of the system', async () => {
    const pool = poolOf({ workers: 1 });
    await expect(pool.analyse(job(join(folder, 'gone.png')))).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'open',
    });
    await expect(pool.analyse(job(folder))).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

describe('a thread that dies', () => {
  test('fails the job it had, and the pool goes on', async () => {
    const pool = poolOf({ workers: 1, worker: actor });
    const [died, waiting] = await Promise.allSettled([pool.analyse(job('exit')), pool.analyse(job('answer'))]);
    expect(died.status === 'rejected' && died.reason).toBeInstanceOf(WorkerDiedError);
    expect(died).toMatchObject({ reason: { kind: 'worker_died', file: 'exit' } });
    expect(waiting.status).toBe('fulfilled');
    await expect(pool.analyse(job('throw later'))).rejects.toThrow(WorkerDiedError);
    await expect(pool.analyse(job('answer'))).resolves.toBeDefined();
  });

  test('for want of memory is one of these', async () => {
    const pool = poolOf({ workers: 1, worker: actor, memoryLimitMb: 32 });
    const failure = await pool.analyse(job('hoard')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkerDiedError);
    expect((failure as Error).message).toMatch(/memory/);
    await expect(pool.analyse(job('answer'))).resolves.toBeDefined();
  });

  test('before it has begun is no item’s fault', async () => {
    const pool = poolOf({ workers: 1, worker: new URL('./noSuchWorker.ts', import.meta.url) });
    for (const failure of await Promise.allSettled([pool.analyse(job('a')), pool.analyse(job('b'))])) {
      expect(failure).toMatchObject({ status: 'rejected' });
      const { reason } = failure as PromiseRejectedResult;
      expect(reason).not.toBeInstanceOf(WorkerDiedError);
      expect(reason.message).toMatch(/analysis threads do not start: .*noSuchWorker/);
    }
  });
});

describe('abort', () => {
  test('ends a thread that never answers, and the next job gets a new one', async () => {
    const pool = poolOf({ workers: 1, worker: actor });
    await pool.analyse(job('answer'));
    const stop = new AbortController();
    const stuck = pool.analyse(job('spin'), stop.signal);
    const waiting = pool.analyse(job('answer'));
    stop.abort();
    await expect(stuck).rejects.toMatchObject({ name: 'AbortError' });
    await expect(waiting).resolves.toBeDefined();
  });

  test('takes a waiting job out of the line', async () => {
    const pool = poolOf({ workers: 1, worker: actor });
    const stop = new AbortController();
    const first = pool.analyse(job('answer'));
    const waiting = pool.analyse(job('spin'), stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await expect(first).resolves.toBeDefined();
    await expect(pool.analyse(job('answer'))).resolves.toBeDefined();
  });

  test('before the beginning analyses nothing', async () => {
    const pool = poolOf({ workers: 1, worker: actor });
    await expect(pool.analyse(job('exit'), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the ROIs of one frame on several threads', () => {
  const width = 256;
  const height = 1088;
  const sharedRois = Array.from({ length: 17 }, (_, i) => ({
    label: `R${i}`,
    flip: i % 2 === 1,
    coords: [64 * i, 0] as [number, number],
    size: [64, width] as [number, number],
  }));
  let large = '';
  /** Taller than its ROIs, so large that its rows come in parts; lines that are cut off at full scale at the top. */
  const tall = 33_600;
  let inParts = '';
  beforeAll(async () => {
    large = join(folder, 'large.png');
    const data = Uint8Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      // Dead rows, so that some are rejected.
      return y % 50 === 7 ? 0 : 20 + 150 * Math.exp(-((x - 75 - y / 20) ** 2) / 1500) + ((i * 7919) % 13);
    });
    await sharp(data, { raw: { width, height, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(large);
    inParts = join(folder, 'inParts.png');
    const brighter = Uint8Array.from({ length: width * tall }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      const peak = y < 300 ? 400 : 150;
      return Math.min(255, 20 + peak * Math.exp(-((x - 75 - y / 400) ** 2) / 1500) + ((i * 7919) % 13));
    });
    await sharp(brighter, { raw: { width, height: tall, channels: 1 } })
      .toColourspace('b-w')
      .png({ compressionLevel: 1, adaptiveFiltering: false })
      .toFile(inParts);
  });
  const largeJob = (estimator: Estimator, path = large): AnalysisJob => ({
    ...job(path),
    estimator,
    rois: { rois: sharedRois, imageAngle: 0 },
  });
  const shareJob = (path: string, label: string): AnalysisJob => ({
    ...job(path),
    rois: { rois: sharedRois.map(roi => ({ ...roi, label })), imageAngle: 0 },
  });

  test.each(estimators)('%s: the same bytes with any number of threads, and in one piece', async estimator => {
    const alone = async (path: string) => analyseFrame(await decodeFrame(path), largeJob(estimator, path));
    const ofLarge = await alone(large);
    const expected = [ofLarge, ofLarge, await alone(inParts)];
    expect(Object.keys(expected[0]!.rowsRejected)).not.toEqual([]);
    expect(new TextDecoder().decode(expected[2]!.imageAnalysis)).toContain('saturated');
    for (const workers of [1, 3]) {
      const pool = poolOf({ workers });
      const frames = await Promise.all([large, large, inParts].map(path => pool.analyse(largeJob(estimator, path))));
      const results = frames.map(({ decodeMs: _decode, analyseMs: _analyse, ...result }) => result);
      expect(results).toEqual(expected);
    }
  });

  test('a frame whose end is damaged is a bad image, and its threads are well', async () => {
    const pool = poolOf({ workers: 2 });
    const bytes = await readFile(inParts);
    const damaged = join(folder, 'damaged.png');
    for (const change of [
      () => bytes.subarray(0, -3000),
      () => Buffer.from(bytes).fill(0xa5, bytes.length - 4000, bytes.length - 3900),
    ]) {
      await writeFile(damaged, change());
      await expect(pool.analyse(largeJob('roi', damaged))).rejects.toThrow(BadImageError);
      expect((await pool.analyse(largeJob('rows', inParts))).rois).toBe(17);
    }
  });

  test('a frame that turns out to be odd at its end is analysed as sharp reads it', async () => {
    const odd = join(folder, 'odd.png');
    await writeFile(odd, withMoreData(await readFile(inParts)));
    const alone = analyseFrame(await decodeFrame(odd), largeJob('roi'));
    const {
      decodeMs: _decode,
      analyseMs: _analyse,
      ...result
    } = await poolOf({ workers: 2 }).analyse(largeJob('roi', odd));
    expect(result).toEqual(alone);
    expect(alone).toEqual(analyseFrame(await decodeFrame(inParts), largeJob('roi')));
  });

  test('a ROI outside of it is an error that names the first such', async () => {
    const pool = poolOf({ workers: 2 });
    const rois = sharedRois.map((roi, i) => (i > 4 ? { ...roi, coords: [height, 0] as [number, number] } : roi));
    const outside = pool.analyse({ ...largeJob('roi'), rois: { rois, imageAngle: 0 } });
    await expect(outside).rejects.toMatchObject({ kind: 'roi_outside_frame', label: 'R5' });
    expect((await pool.analyse(largeJob('roi'))).rois).toBe(17);
  });

  test('idle threads help, also those that become idle later', async () => {
    const pool = poolOf({ workers: 2, worker: actor });
    expect((await pool.analyse(shareJob('share', 'answer'))).positions).toHaveLength(17);
    const stop = new AbortController();
    const busy = pool.analyse(job('spin'), stop.signal);
    const sharing = pool.analyse(shareJob('share', 'answer'));
    stop.abort();
    await expect(busy).rejects.toMatchObject({ name: 'AbortError' });
    expect((await sharing).positions).toHaveLength(17);
  });

  test('the death of a helper is the frame’s, and the pool goes on', async () => {
    const pool = poolOf({ workers: 2, worker: actor });
    for (const label of ['exit', 'throw later']) {
      await expect(pool.analyse(shareJob('share', label))).rejects.toMatchObject({
        kind: 'worker_died',
        file: 'share',
      });
      expect((await pool.analyse(shareJob('share', 'answer'))).positions).toHaveLength(17);
    }
    const limited = poolOf({ workers: 2, worker: actor, memoryLimitMb: 32 });
    await expect(limited.analyse(shareJob('share', 'hoard'))).rejects.toThrow(/memory/);
    expect((await limited.analyse(shareJob('share', 'answer'))).positions).toHaveLength(17);
  });

  test('the death of the owner leaves no helper at work', async () => {
    const pool = poolOf({ workers: 2, worker: actor });
    await expect(pool.analyse(shareJob('share and exit', 'answer'))).rejects.toMatchObject({ kind: 'worker_died' });
    expect((await pool.analyse(shareJob('share', 'answer'))).positions).toHaveLength(17);
  });

  test('helpers that wait for rows or for the level are ended with the frame', async () => {
    const pool = poolOf({ workers: 2, worker: actor });
    for (const label of ['wait for rows', 'wait for the level']) {
      await expect(pool.analyse(shareJob('share and exit', label))).rejects.toMatchObject({ kind: 'worker_died' });
      expect((await pool.analyse(shareJob('share', 'answer'))).positions).toHaveLength(17);
      const stop = new AbortController();
      const stuck = pool.analyse(shareJob('share', label), stop.signal);
      setTimeout(() => stop.abort(), 50);
      await expect(stuck).rejects.toMatchObject({ name: 'AbortError' });
      expect((await pool.analyse(shareJob('share', 'answer'))).positions).toHaveLength(17);
    }
  });

  test('abort and destroy end the helpers too', async () => {
    const pool = poolOf({ workers: 2, worker: actor });
    await pool.analyse(shareJob('share', 'answer'));
    const stop = new AbortController();
    const stuck = pool.analyse(shareJob('share', 'spin'), stop.signal);
    stop.abort();
    await expect(stuck).rejects.toMatchObject({ name: 'AbortError' });
    expect((await pool.analyse(shareJob('share', 'answer'))).positions).toHaveLength(17);
    const cut = Promise.allSettled([pool.analyse(shareJob('share', 'spin'))]);
    await pool.destroy();
    expect(await cut).toMatchObject([{ status: 'rejected', reason: { name: 'AbortError' } }]);
  });

  test('close waits for them', async () => {
    const pool = poolOf({ workers: 2, worker: actor });
    const taken = pool.analyse(shareJob('share', 'answer'));
    await pool.close();
    expect((await taken).positions).toHaveLength(17);
  });
});

test('close answers everything that was taken, takes no more, and can be called twice', async () => {
  const pool = poolOf({ workers: 1, worker: actor });
  const taken = Promise.allSettled(['answer', 'exit', 'answer'].map(path => pool.analyse(job(path))));
  const closing = pool.close();
  await expect(pool.analyse(job('late.png'))).rejects.toThrow(
    'late.png: not analysed, because the analysis pool is closed',
  );
  await pool.close();
  await closing;
  expect((await taken).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('destroy cuts short what runs and what waits, also while closing', async () => {
  const pool = poolOf({ workers: 1, worker: actor });
  const taken = Promise.allSettled([pool.analyse(job('spin')), pool.analyse(job('answer'))]);
  const closing = pool.close();
  await pool.destroy();
  await closing;
  for (const result of await taken)
    expect(result).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
});
