import { existsSync } from 'node:fs';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeImage } from '../../src/image/encodeImage.ts';
import type { RunFigures, ShiftChange } from '../../src/quantities/quantities.ts';
import type { StepFigures } from '../../src/sinks/quantities/stepsBetween.ts';
import { renderFrame } from '../../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../../src/streams/cameras/simulated/scene.ts';
import { simulatorRoiManifest } from '../../src/streams/cameras/simulated/simulatedCamera.ts';
import { simulatorOptions } from '../../src/streams/cameras/simulated/simulatorOptions.ts';
import { phorestDone, temporaryRoot } from '../program/phorest.ts';

interface Told extends RunFigures {
  changes: readonly ShiftChange[];
  steps: readonly StepFigures[];
}

const frames = 100;
const stepAt = 50;
const intervalMs = 2500;
/** A whole number of periods of the step since 1970: it goes up half a period later. */
const beginning = Math.ceil(Date.UTC(2025, 6, 24, 13) / (frames * intervalMs)) * frames * intervalMs;
const clockOf = (frame: number): string => new Date(beginning + frame * intervalMs).toISOString().slice(0, 23);

/** A run of the simulated camera with a step in its middle, as a folder of images, through the real program. */
async function runWithStep(stepPixels: number, preset: 'realistic' | 'small') {
  const folder = await temporaryRoot();
  const images = join(folder, 'Pos0');
  await mkdir(images);
  const size = preset === 'realistic' ? { height: 350, rows: 2 } : {};
  const moves = { stepPixels, stepRiseSeconds: 0, stepPeriodSeconds: (frames * intervalMs) / 1000, driftPixels: 0 };
  const scene = createScene(simulatorOptions(preset, { ...size, ...moves }));
  await writeFile(join(folder, 'ROI_manifest.json'), simulatorRoiManifest(scene.layout));
  const truth: Float64Array[] = [];
  for (let i = 0; i < frames; i++) {
    const time = beginning + i * intervalMs;
    const { pixels, positions } = renderFrame(scene, time);
    truth.push(positions);
    const path = join(images, `img_${String(i).padStart(9, '0')}_Default_000.tif`);
    await writeFile(path, await encodeImage(pixels, 'TIFF'));
    await utimes(path, time / 1000, time / 1000);
  }
  const root = join(folder, 'out');
  const options = { env: { TZ: 'UTC' } };
  expect(await phorestDone(['replay', images, '--method', 'gaussian', '--out', root], options)).toMatchObject({
    code: 0,
  });
  const tell = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await phorestDone(['--root', root, ...words], options);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  return { tell, truth, labels: scene.layout.rois.map(({ label }) => label) };
}

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** Errors over what they are said to be: of all ROIs of all runs. */
const pulls = { steps: [] as number[], changes: [] as number[], sensitivities: [] as number[] };

const within = (errors: readonly number[], most: number): number =>
  (100 * errors.filter(error => Math.abs(error) <= most).length) / errors.length;

describe('a run of the simulated camera with known steps, through the real program', () => {
  it.each([
    ['realistic', 1],
    ['realistic', 5],
    ['small', 3],
  ] as const)(
    'a %s chip, steps of about %d px: each ROI tells one change, in time to one frame',
    async (preset, size) => {
      const { tell, truth, labels } = await runWithStep(size, preset);
      const windows = [5, 45, 52, 98] as const;
      const told = JSON.parse(
        await tell('quantities', '--rois', '*', '--json', '--step', ...windows.map(clockOf)),
      ) as Told;
      const level = (roi: number, from: number, end: number): number =>
        mean(truth.slice(from, end).map(positions => positions[roi]!));
      for (const [i, label] of labels.entries()) {
        const height = level(i, windows[2], windows[3]) - level(i, windows[0], windows[1]);
        const [change, ...further] = told.changes.filter(({ kind, name }) => kind === 'roi' && name === label);
        expect(further, label).toEqual([]);
        expect(Math.abs((change!.time - beginning) / intervalMs - (stepAt - 0.5)), label).toBeLessThanOrEqual(1);
        pulls.changes.push((change!.height - height) / change!.heightSigma);
        const { step } = told.steps.find(({ name }) => name === label)!;
        pulls.steps.push((step!.height - height) / step!.sigma);
      }
      expect(told.references).toHaveLength(1);

      await tell('mark', 'water', '--index', '1.333', '--at', clockOf(0));
      await tell('mark', 'ethanol', '--index', '1.343', '--at', clockOf(stepAt));
      const { rois } = JSON.parse(await tell('sensing', '--rois', '*', '--json'));
      expect(rois).toHaveLength(labels.length);
      for (const { name, refractive } of rois) {
        const roi = labels.indexOf(name);
        const sensitivity = (level(roi, 75, 100) - level(roi, 25, 50)) / 0.01;
        pulls.sensitivities.push((refractive.value - sensitivity) / refractive.sigma);
      }
      await tell('report');
    },
  );

  it.each(['steps', 'changes', 'sensitivities'] as const)(
    'of all ROIs of these runs, %s are within one error in 68 of 100 and within two in 95',
    kind => {
      // Two standard errors of 64 ROIs.
      expect(within(pulls[kind], 1)).toBeGreaterThanOrEqual(56);
      expect(within(pulls[kind], 1)).toBeLessThanOrEqual(82);
      expect(within(pulls[kind], 2)).toBeGreaterThanOrEqual(89);
    },
  );
});

const reference = join(import.meta.dirname, '../../../shared/reference');
const isThere = existsSync(reference);

describe.skipIf(!isThere)('the reference data, replayed', () => {
  it.each(['realistic', 'legacy_gauss'])(
    '%s: a dozen images tell no change, and no noise out of a step',
    async name => {
      const root = join(await temporaryRoot(), 'out');
      const options = { env: { TZ: 'UTC' } };
      const rois = join(reference, name, 'ROI_manifest.json');
      const replay = ['replay', join(reference, name, 'Pos0'), '--rois', rois, '--out', root];
      expect(await phorestDone(replay, options)).toMatchObject({ code: 0 });
      const { code, stdout } = await phorestDone(['--root', root, 'quantities', '--rois', '*', '--json'], options);
      expect(code).toBe(0);
      const told = JSON.parse(stdout) as Told;
      expect(told.changes).toEqual([]);
      for (const { noise } of told.rois) expect(noise).toBeNull();
    },
  );

  it('realistic: the steps between its halves are near the truth, with the errors of the pattern', async () => {
    const root = join(await temporaryRoot(), 'out');
    const options = { env: { TZ: 'UTC' } };
    const folder = join(reference, 'realistic');
    const rois = join(folder, 'ROI_manifest.json');
    const replay = ['replay', join(folder, 'Pos0'), '--rois', rois, '--out', root];
    expect(await phorestDone(replay, options)).toMatchObject({ code: 0 });
    const lines = (await readFile(join(root, 'results', 'processing_results.jsonl'), 'utf8')).trimEnd().split('\n');
    const times = lines.map(line => JSON.parse(line).image_timestamp.slice(0, 23) as string).sort();
    const spans = [times[0]!, `${times[5]!.slice(0, -1)}9`, times[6]!, `${times[11]!.slice(0, -1)}9`];
    const words = ['--root', root, 'quantities', '--rois', '*', '--json', '--step', ...spans];
    const { steps } = JSON.parse((await phorestDone(words, options)).stdout) as Told;
    const truth = JSON.parse(await readFile(join(folder, 'truth.json'), 'utf8'));
    const errors = steps.flatMap(({ name, step }) => {
      const level = (from: number, end: number): number =>
        mean(truth.frames.slice(from, end).map((frame: { rois: Record<string, number> }) => frame.rois[name]!));
      return step ? [(step.height - (level(6, 12) - level(0, 6))) / step.sigma] : [];
    });
    expect(errors.length).toBeGreaterThan(12);
    expect(within(errors, 1)).toBeGreaterThan(45);
    expect(within(errors, 2)).toBeGreaterThan(80);
  });
});
