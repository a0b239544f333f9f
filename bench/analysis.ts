import sharp from 'sharp';
import { analyseFrame } from '../src/analysis/analyseFrame.ts';
import { decodeFrame } from '../src/analysis/decodeFrame.ts';
import { createRoiEstimator } from '../src/analysis/joint/roiEstimator.ts';
import { type Estimator, estimators } from '../src/model/method.ts';
import { renderFrame } from '../src/streams/simulator/renderFrame.ts';
import { createScene } from '../src/streams/simulator/scene.ts';
import { simulatorOptions } from '../src/streams/simulator/simulatorOptions.ts';
import { roiAccuracy } from '../test/analysis/roiAccuracy.ts';
import { RoiSimulator } from '../test/analysis/simulatedRois.ts';
import type { BenchRow } from './benchRow.ts';

/**
 * How exact the estimator `roi` is, and what analysing costs.
 *
 * - `analysis.scatter.…`: scatter of the position on 2,000 ROIs with the noise of the reference data, over the Cramér–Rao
 *   bound of these ROIs.
 * - `analysis.frame.…`: processor time of analysing a 9152×6944 frame of 644 ROIs, over that of decoding it (8-bit gray
 *   JPEG).
 */
export async function analysisBench(): Promise<BenchRow[]> {
  return [scatter('gaussian'), scatter('fano'), ...(await largeFrame())];
}

const count = 2000;
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

async function largeFrame(): Promise<BenchRow[]> {
  const scene = createScene(simulatorOptions('large'));
  const { rois, imageAngle } = scene.layout;
  const { pixels } = renderFrame(scene, Date.UTC(2025, 6, 24));
  const { width, height } = pixels;
  const file = await sharp(pixels.data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality: 95 })
    .toBuffer();
  sharp.cache(false);
  sharp.concurrency(1);
  const best = { decode: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, roi: Number.POSITIVE_INFINITY };
  const time = async (name: keyof typeof best, work: () => unknown): Promise<void> => {
    const begin = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(begin);
    best[name] = Math.min(best[name], (user + system) / 1000);
  };
  const analyse = (estimator: Estimator) =>
    analyseFrame(pixels, {
      rois: { rois, imageAngle },
      method: 'gaussian',
      estimator,
      numberOfSubRois: 0,
      keepValues: false,
    });
  // In turns, so that a busy moment of the machine falls on all of them.
  for (let round = 0; round < rounds; round++) {
    await time('decode', () => decodeFrame(file));
    for (const estimator of estimators) await time(estimator, () => analyse(estimator));
  }
  return estimators.map(estimator => ({
    name: `analysis.frame.${estimator}`,
    value: best[estimator],
    unit: 'ms CPU',
    against: 'decoding the frame',
    ratio: best[estimator] / best.decode,
  }));
}
