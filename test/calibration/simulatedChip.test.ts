import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import { chipOfType, parseChipMap } from '../../src/calibration/chipMap.ts';
import { parseFeatureLocations } from '../../src/calibration/featureLocations.ts';
import { findTemplate } from '../../src/calibration/labelTemplate.ts';
import { locateChip } from '../../src/calibration/locateChip.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { glyphHeight, glyphRuns, glyphWidth } from '../../src/streams/cameras/simulated/glyphs.ts';
import { renderFrame } from '../../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../../src/streams/cameras/simulated/scene.ts';
import { simulatorRoiManifest } from '../../src/streams/cameras/simulated/simulatedCamera.ts';
import { simulatorOptions } from '../../src/streams/cameras/simulated/simulatorOptions.ts';

const folder = 'assets/Label_templates';
const chips = parseChipMap(readFileSync(`${folder}/Chip_map.json`, 'utf8'), 'Chip_map.json');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });

test('every label of the simulated chips has its picture, which shows what the camera shows', async () => {
  const names = new Set(chips.flatMap(({ labels }) => labels.map(({ label }) => label)));
  for (const { type, labels } of chips) {
    for (const { label } of labels) expect(findTemplate(files, type, label)).toBe(`Simulated/${label}.png`);
  }
  for (const name of names) {
    const { width, height, data } = await decodeFrame(`${folder}/Simulated/${name}.png`);
    const cell = height / glyphHeight;
    expect(width).toBe(((glyphWidth + 1) * name.length - 1) * cell);
    const lit = glyphRuns(name).reduce((sum, run) => sum + run.length, 0);
    expect(data.filter(value => value === 255)).toHaveLength(lit * cell * cell);
    for (const { x, y } of glyphRuns(name)) expect(data[(y + 0.5) * cell * width + (x + 0.5) * cell]).toBe(255);
  }
});

const shipped = parseFeatureLocations(readFileSync('configs/Feature_locations.toml', 'utf8'), 'f');
const small = {
  chipType: 'Simulated_small',
  clicks: [
    { label: 'A', x: 20, y: 92 },
    { label: 'D', x: 24, y: 409 },
    { label: '4', x: 541, y: 24 },
  ],
};

test.each([
  ['realistic', 'shipped', shipped, 0.6],
  ['realistic', 'shipped', shipped, 0],
  ['realistic', 'shipped', shipped, -0.6],
  ['small', 'rough', small, 0.6],
  ['small', 'rough', small, -0.6],
] as const)(
  'the %s simulated chip is found by %s positions: %o turned by %f°',
  async (preset, _, { chipType, clicks }, imageAngle) => {
    expect(chipType).toBe(`Simulated_${preset}`);
    const chip = chipOfType(chips, chipType, 'm');
    const templates = await Promise.all(
      chip.labels.map(async label => ({
        label,
        picture: await decodeFrame(`${folder}/${findTemplate(files, chipType, label.label)}`),
      })),
    );
    const scene = createScene(simulatorOptions(preset, { imageAngle }));
    const { pixels } = renderFrame(scene, 1e12);
    const { pose, rois } = await locateChip(pixels, chip, clicks, templates);
    expect(Math.abs(pose.angle - imageAngle)).toBeLessThan(0.05);
    // The regions reach over all that is lit, two pixels more to each side than those of the simulator itself.
    const own = parseRoiManifest(simulatorRoiManifest(scene.layout), 'm').rois;
    for (const roi of rois) {
      const { coords, flip } = own.find(({ label }) => label === roi.label)!;
      expect(flip).toBe(roi.flip);
      expect(Math.abs(coords[1] - 2 - roi.coords[1])).toBeLessThanOrEqual(1);
      expect(Math.abs(coords[0] - 2 - roi.coords[0])).toBeLessThanOrEqual(1);
    }
    expect(rois).toHaveLength(own.length);
  },
);
