import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it, onTestFinished } from 'vitest';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { renderFrame } from '../../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../../src/streams/cameras/simulated/scene.ts';
import { simulatorRoiManifest } from '../../src/streams/cameras/simulated/simulatedCamera.ts';
import { simulatorOptions } from '../../src/streams/cameras/simulated/simulatorOptions.ts';
import { analyseFrame } from '../world/analyseFrame.ts';

it.each([
  ['small frame of 8 bits', 'gaussian', simulatorOptions('small')],
  ['Fano lines', 'fano', simulatorOptions('small', { lineShape: 'fano' })],
  ['frame of 16 bits', 'gaussian', simulatorOptions('microscope', { width: 720, height: 560, columns: 2, rows: 2 })],
] as const)('a %s, written and read as a file, is analysed to its truth', async (_name, method, options) => {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-simulated-analysis-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const scene = createScene(options);
  const { pixels, positions } = renderFrame(scene, Date.UTC(2025, 6, 24, 13, 45));
  const { width, height, depth, data } = pixels;
  const path = join(folder, 'frame.png');
  await sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace(depth === 8 ? 'b-w' : 'grey16')
    .png()
    .toFile(path);
  const decoded = await decodeFrame(path);
  expect(decoded).toEqual(pixels);

  const rois = parseRoiManifest(simulatorRoiManifest(scene.layout), 'ROI_manifest.json');
  const analysed = analyseFrame(decoded, { rois, method, estimator: 'rows', numberOfSubRois: 0, keepValues: false });
  const errors = scene.resonances.map(({ medianOffset }, i) => analysed.positions[i] - positions[i] - medianOffset);
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const scatter = Math.sqrt(errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / errors.length);
  // The medians of the Python system scatter by 0.44 px about the truth, on Fano lines by 0.81 px (reference README).
  expect(Math.abs(mean)).toBeLessThan(method === 'fano' ? 0.5 : 0.3);
  expect(scatter).toBeLessThan(method === 'fano' ? 1 : 0.6);
});
