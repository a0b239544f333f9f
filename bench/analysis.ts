import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createAnalysisPool } from '../src/analysis/analysisPool.ts';
import { createRoiEstimator } from '../src/analysis/joint/roiEstimator.ts';
import { decodeFrame } from '../src/image/decodeFrame.ts';
import { encodePng } from '../src/image/encodeImage.ts';
import type { AnalysisJob } from '../src/model/analysisJob.ts';
import { type Estimator, estimators } from '../src/model/method.ts';
import { renderFrame } from '../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../src/streams/cameras/simulated/scene.ts';
import { simulatorOptions } from '../src/streams/cameras/simulated/simulatorOptions.ts';
import { roiAccuracy } from '../test/analysis/roiAccuracy.ts';
import { patternedOptions } from '../test/analysis/shift/patternedRois.ts';
import { shiftAccuracy } from '../test/analysis/shift/shiftAccuracy.ts';
import { RoiSimulator } from '../test/analysis/simulatedRois.ts';
import type { BenchRow } from './benchRow.ts';

/**
 * How exact the estimator `roi` is, and what analysing costs.
 *
 * - `analysis.scatter.…`: scatter of the position on 1,000 ROIs with the noise of the reference data, over the Cramér–Rao
 *   bound of these ROIs.
 * - `shift.pattern.…`: error of the shift by a step, on frames with a static pattern, over the Cramér–Rao bound of such a step on a
 *   chip that stands still (at most 1.2 still, 2 with a jitter of 0.2 px), of saturated lines over that of the pixels which are not (at most
 *   1.5); `shift.position.…`: of the position in the reference over its bound (at most 1.2).
 * - `analysis.frame.shift`: processor time that the shifts of a large frame add, over that of analysing it with `roi` (at most 0.25).
 * - `analysis.frame.…`: processor time of analysing a 9152×6944 frame of 644 ROIs, all threads together, over that of
 *   decoding it (8-bit gray PNG, as the collector writes them).
 * - `analysis.latency.…`: time from path to result of that frame with a worker on each core, over that of decoding it.
 * - `analysis.live.…`: processor time of analysing that frame from its pixels in memory, as the processor does with one that was just
 *   captured, over that from its file.
 * - `analysis.decode.…`: processor time of decoding 1920×1460 pixels of 16 bits (TIFF, plain and Deflate; PNG as the collector
 *   writes it), over that of sharp for the same.
 */
export async function analysisBench(): Promise<BenchRow[]> {
  return [scatter('gaussian'), scatter('fano'), ...shifts(), ...(await largeFrame()), ...(await decoders())];
}

const count = 1000;
const rounds = 3;

function scatter(method: 'gaussian' | 'fano'): BenchRow {
  const simulator = new RoiSimulator({ seed: 31, lineShape: method === 'fano' ? 'fano' : 'gauss' });
  const found = roiAccuracy(simulator, createRoiEstimator(method), 'normal', count, 200);
  return {
    name: `analysis.scatter.${method}`,
    value: found.scatter,
    unit: 'px',
    against: 'the Cramér–Rao bound',
    ratio: found.scatter / found.bound,
  };
}

function shifts(): BenchRow[] {
  const size = { chips: 2, frames: 3 };
  const still = shiftAccuracy(patternedOptions, { ...size, bounded: 6 });
  const fano = shiftAccuracy({ ...patternedOptions, lineShape: 'fano' }, { ...size, bounded: 6 });
  const jitter = shiftAccuracy({ ...patternedOptions, jitter: 0.2 }, { ...size, bounded: 0 });
  const saturated = shiftAccuracy({ ...patternedOptions, fullScale: 900 }, { ...size, bounded: 6 });
  const row = (name: string, value: number, bound: number): BenchRow => ({
    name: `shift.${name}`,
    value,
    unit: 'px',
    against: 'the Cramér–Rao bound',
    ratio: value / bound,
  });
  return [
    row('pattern.gaussian', still.scatter, still.bound),
    row('pattern.fano', fano.scatter, fano.bound),
    row('pattern.jitter', jitter.scatter, still.bound),
    row('pattern.saturated', saturated.scatter, saturated.bound),
    row('position.gaussian', still.position.scatter, still.position.bound),
    row('position.fano', fano.position.scatter, fano.position.bound),
  ];
}

async function largeFrame(): Promise<BenchRow[]> {
  const scene = createScene(simulatorOptions('large'));
  const { rois, imageAngle } = scene.layout;
  const { pixels } = renderFrame(scene, Date.UTC(2025, 6, 24));
  sharp.cache(false);
  sharp.concurrency(1);
  const folder = await mkdtemp(join(tmpdir(), 'phorest-bench-'));
  const pool = createAnalysisPool({ workers: availableParallelism() });
  try {
    const path = join(folder, 'frame.png');
    await writeFile(path, await encodePng(pixels));
    const job = (estimator: Estimator): AnalysisJob => ({
      path,
      rois: { rois, imageAngle },
      method: 'gaussian',
      estimator,
      numberOfSubRois: 0,
      keepValues: false,
    });
    const { path: _path, keepValues: _keep, ...common } = job('roi');
    const made = await pool.makeReference({ ...common, paths: [path], frames: 1, shifts: true, darkLevel: null });
    const bytes = new SharedArrayBuffer((made.bytes as Uint8Array).length);
    new Uint8Array(bytes).set(made.bytes as Uint8Array);
    const withShifts = { ...job('roi'), reference: { hash: 'bench', bytes } };
    await pool.analyse(withShifts);
    // The threads start and the compiler learns.
    for (const estimator of estimators) await pool.analyse(job(estimator));
    const best = new Best();
    // In turns, so that a busy moment of the machine falls on all of them.
    for (let round = 0; round < rounds; round++) {
      await best.time('own', () => decodeFrame(path));
      await best.time('sharp', () => sharp(path).toColourspace('b-w').raw().toBuffer());
      for (const estimator of estimators) {
        await best.time(estimator, () => pool.analyse(job(estimator)));
        const given = { ...pixels, data: pixels.data.slice() };
        await best.time(`live ${estimator}`, () => pool.analyse({ ...job(estimator), pixels: given }));
      }
      await best.time('shift', () => pool.analyse(withShifts));
    }
    const decoding = {
      cpu: Math.min(best.cpu('own'), best.cpu('sharp')),
      wall: Math.min(best.wall('own'), best.wall('sharp')),
    };
    const against = 'decoding the frame, by sharp or our own reader, whichever is faster';
    const shift = {
      name: 'analysis.frame.shift',
      value: best.cpu('shift') - best.cpu('roi'),
      unit: 'ms CPU',
      against: 'the analysis of the frame with `roi`, without decoding',
      ratio: (best.cpu('shift') - best.cpu('roi')) / (best.cpu('roi') - decoding.cpu),
    };
    const frames = estimators.flatMap(estimator => [
      {
        name: `analysis.frame.${estimator}`,
        value: best.cpu(estimator) - decoding.cpu,
        unit: 'ms CPU',
        against,
        ratio: best.cpu(estimator) / decoding.cpu - 1,
      },
      {
        name: `analysis.latency.${estimator}`,
        value: best.wall(estimator),
        unit: 'ms',
        against,
        ratio: best.wall(estimator) / decoding.wall,
      },
      {
        name: `analysis.live.${estimator}`,
        value: best.cpu(`live ${estimator}`),
        unit: 'ms CPU',
        against: 'the same frame from its file',
        ratio: best.cpu(`live ${estimator}`) / best.cpu(estimator),
      },
    ]);
    return [...frames, shift];
  } finally {
    await pool.close();
    await rm(folder, { recursive: true });
  }
}

async function decoders(): Promise<BenchRow[]> {
  const { pixels } = renderFrame(createScene(simulatorOptions('microscope')), Date.UTC(2025, 6, 24));
  const { width, height } = pixels;
  const image = sharp(pixels.data, { raw: { width, height, channels: 1 } }).toColourspace('grey16');
  const files = {
    plain: await image.clone().tiff({ compression: 'none' }).toBuffer(),
    deflate: await image.clone().tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer(),
    png: await encodePng(pixels),
  };
  const best = new Best();
  for (let round = 0; round < 10; round++) {
    for (const [kind, file] of Object.entries(files)) {
      await best.time(kind, () => decodeFrame(file));
      await best.time(`${kind} by sharp`, () =>
        sharp(file).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer(),
      );
    }
  }
  return Object.keys(files).map(kind => ({
    name: `analysis.decode.${kind}`,
    value: best.cpu(kind),
    unit: 'ms CPU',
    against: 'sharp',
    ratio: best.cpu(kind) / best.cpu(`${kind} by sharp`),
  }));
}

/** The least time that each of several works took, ms. */
class Best {
  readonly #times = new Map<string, { cpu: number; wall: number }>();

  async time(name: string, work: () => unknown): Promise<void> {
    const begin = process.cpuUsage();
    const begun = performance.now();
    await work();
    const wall = performance.now() - begun;
    const { user, system } = process.cpuUsage(begin);
    const before = this.#times.get(name) ?? { cpu: Number.POSITIVE_INFINITY, wall: Number.POSITIVE_INFINITY };
    this.#times.set(name, { cpu: Math.min(before.cpu, (user + system) / 1000), wall: Math.min(before.wall, wall) });
  }

  cpu(name: string): number {
    return this.#times.get(name)!.cpu;
  }

  wall(name: string): number {
    return this.#times.get(name)!.wall;
  }
}
