import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import { calibrationLines } from '../../src/calibration/calibrationReport.ts';
import { chipOfType, parseChipMap } from '../../src/calibration/chipMap.ts';
import { type LabelClick, parseFeatureLocations } from '../../src/calibration/featureLocations.ts';
import { findTemplate } from '../../src/calibration/labelTemplate.ts';
import { type Calibration, locateChip } from '../../src/calibration/locateChip.ts';
import type { LabelTemplate } from '../../src/calibration/matchLabel.ts';
import { roiManifestText } from '../../src/calibration/roiManifestText.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';

const reference = '../shared/reference';

interface Truth {
  image_angle_deg: number;
  scale: number;
  gratings_row_col_height_width: Record<string, [row: number, column: number, height: number, width: number]>;
}

async function load(folder: string) {
  const base = `${reference}/${folder}/`;
  const text = (name: string): string => readFileSync(base + name, 'utf8');
  const { chipType, clicks } = parseFeatureLocations(text('Feature_locations.toml'), 'f');
  const chip = chipOfType(parseChipMap(text('Chip_map.json'), 'm'), chipType, 'm');
  const files = readdirSync(`${base}templates`);
  const templates: LabelTemplate[] = [];
  for (const label of chip.labels) {
    const file = findTemplate(files, chip.type, label.label);
    if (file !== null) templates.push({ label, picture: await decodeFrame(`${base}templates/${file}`) });
  }
  const image = await decodeFrame(`${base}reference.png`);
  const truth = JSON.parse(text('truth.json')) as Truth;
  const locate = (changed: LabelClick[] = [...clicks]) => locateChip(image, chip, changed, templates);
  return { image, clicks, truth, locate };
}

/** The largest distance of a grating's middle from the truth, px; all of them must be there. */
function worstMiss({ rois }: Calibration, truth: Truth): number {
  const misses = Object.entries(truth.gratings_row_col_height_width).map(([label, [row, column, height, width]]) => {
    const lower = rois.find(roi => roi.label === `${label}_N`)!;
    const upper = rois.find(roi => roi.label === `${label}_S`)!;
    const y = (upper.coords[0] + lower.coords[0] + lower.size[0]) / 2;
    const x = lower.coords[1] + lower.size[1] / 2;
    return Math.hypot(x - column - width / 2, y - row - height / 2);
  });
  return Math.max(...misses);
}

describe.skipIf(!existsSync(reference))('locateChip on the references of the Python system', () => {
  test.each([
    ['calibration_2labels', 0.02, 0.0005],
    ['calibration_4labels', 0.01, 0.0002],
  ])('%s: angle, scale and every grating are where the truth has them', async (folder, degrees, part) => {
    const { truth, image, locate } = await load(folder);
    const found = await locate();
    expect(Math.abs(found.pose.angle - truth.image_angle_deg)).toBeLessThan(degrees);
    expect(Math.abs(found.pose.scale / truth.scale - 1)).toBeLessThan(part);
    expect(worstMiss(found, truth)).toBeLessThan(1);

    const about = { file: 'reference.png', hash: 'abc', size: image };
    const manifest = parseRoiManifest(roiManifestText(found, about), 'ROI_manifest.json');
    expect(manifest.rois).toEqual(found.rois);
    expect(manifest.imageAngle).toBeCloseTo(found.pose.angle, 5);
    expect(calibrationLines(found, about).join('\n')).toMatch(/likeness 0\.9\d, 0\.\d\d px off/);
  });

  test('one wrong position among four is outvoted, and named with how far off it was', async () => {
    const { clicks, truth, locate } = await load('calibration_4labels');
    const wrong = clicks.map((click, i) => (i === 1 ? { ...click, x: click.x - 900, y: click.y - 400 } : click));
    const found = await locate(wrong);
    expect(worstMiss(found, truth)).toBeLessThan(1);
    const remarks = found.labels.flatMap(({ label, remark }) => (remark === null ? [] : [`${label}: ${remark}`]));
    expect(remarks).toEqual([expect.stringMatching(/^B-Right: it was given 9\d\d px from where it is$/)]);
  });

  test('positions that are half a label off give the same answer', async () => {
    const { clicks, truth, locate } = await load('calibration_2labels');
    const off = clicks.map((click, i) => ({ ...click, x: click.x + (i ? 20 : -20), y: click.y + (i ? -28 : 28) }));
    expect(worstMiss(await locate(off), truth)).toBeLessThan(1);
  });

  test.each([
    ['one of two positions far off', (clicks: LabelClick[]) => [{ ...clicks[0], x: 1200, y: 300 }, clicks[1]]],
    [
      'two positions exchanged',
      ([a, b]: LabelClick[]) => [
        { ...a, label: b.label },
        { ...b, label: a.label },
      ],
    ],
    [
      'labels given wrong names alike',
      ([a, b]: LabelClick[]) => [
        { ...a, label: 'D-Left' },
        { ...b, label: 'C-Left', y: b.y - 722 },
      ],
    ],
    ['only one label', ([a]: LabelClick[]) => [a]],
  ])('%s: refused with a reason', async (_, change) => {
    const { clicks, locate } = await load('calibration_2labels');
    await expect(locate(change([...clicks]))).rejects.toThrow(/label|grating/);
  });
});
