import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeImage } from '../../src/image/encodeImage.ts';
import { parseCsvLine } from '../../src/sinks/table/parseCsvLine.ts';
import { renderFrame } from '../../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../../src/streams/cameras/simulated/scene.ts';
import { simulatorRoiManifest } from '../../src/streams/cameras/simulated/simulatedCamera.ts';
import { simulatorOptions } from '../../src/streams/cameras/simulated/simulatorOptions.ts';
import { phorestDone, temporaryRoot } from './phorest.ts';

/** Frames that the reference is made from, as shipped. */
const referenceFrames = 5;

it('pictures with the pattern of real chips, replayed, give shifts that are near the truth, with true error bars', async () => {
  const folder = await temporaryRoot();
  const images = join(folder, 'Pos0');
  await mkdir(images);
  const scene = createScene(simulatorOptions('realistic', { height: 350, rows: 2, stepPixels: 7 }));
  await writeFile(join(folder, 'ROI_manifest.json'), simulatorRoiManifest(scene.layout));
  // Two frames after the step.
  const beginning = Math.ceil(Date.UTC(2025, 6, 24, 13) / 240_000) * 240_000 + 60_000;
  const times = Array.from({ length: 7 }, (_, i) => beginning + (i < referenceFrames ? i : i + 30) * 2500);
  const truth: Float64Array[] = [];
  for (const [i, time] of times.entries()) {
    const { pixels, positions } = renderFrame(scene, time);
    truth.push(positions);
    const path = join(images, `img_00000000${i}_Default_000.tif`);
    await writeFile(path, await encodeImage(pixels, 'TIFF'));
    await utimes(path, time / 1000, time / 1000);
  }
  const root = join(folder, 'out');
  const ended = await phorestDone(['replay', images, '--method', 'gaussian', '--json', '--out', root]);
  expect(ended.code).toBe(0);

  const [header = '', ...lines] = (await readFile(join(root, 'results', 'communicating_results.csv'), 'utf8'))
    .trimEnd()
    .split(/\r?\n/);
  const columns = parseCsvLine(header);
  const cell = (row: readonly string[], name: string): string => row[columns.indexOf(name)]!;
  const { rois } = scene.layout;
  const errors = lines.flatMap((line, at) => {
    const i = Math.floor(at / rois.length);
    const row = parseCsvLine(line);
    const roi = rois.findIndex(({ label }) => label === cell(row, 'ROI-label'));
    if (i < referenceFrames) return [];
    const rest = truth.slice(0, referenceFrames).reduce((sum, of) => sum + of[roi]! / referenceFrames, 0);
    const error = Number(cell(row, 'shift')) - (truth[i]![roi]! - rest);
    return [{ error, relative: error / Number(cell(row, 'shift_uncertainty')) }];
  });
  expect(errors).toHaveLength(2 * rois.length);
  const rms = Math.sqrt(errors.reduce((sum, { error }) => sum + error ** 2, 0) / errors.length);
  // The bound is 0.4 px, and the difference of positions is off by more than 4.
  expect(rms).toBeLessThan(0.7);
  expect(errors.filter(({ relative }) => Math.abs(relative) < 1).length).toBeGreaterThan(0.6 * errors.length);
  expect(errors.filter(({ relative }) => Math.abs(relative) < 5)).toHaveLength(errors.length);
});
