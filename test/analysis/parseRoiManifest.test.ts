import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';

const roi = { label: '001A_N', flip: true, coords: [241, 192], size: [45, 176] };
const text = (changes: object): string => JSON.stringify({ ROI_001A_N: roi, image_angle: 0.6, ...changes });

test('reads ROIs in file order, rounds to whole pixels, passes other keys over', () => {
  const manifest = parseRoiManifest(
    text({ comment: 'by hand', ROI_b: { ...roi, label: 'b', flip: false, coords: [1.5, 2.4], size: [44.6, 176.2] } }),
    'm.json',
  );
  expect(manifest).toEqual({
    imageAngle: 0.6,
    rois: [
      { label: '001A_N', flip: true, coords: [241, 192], size: [45, 176] },
      { label: 'b', flip: false, coords: [2, 2], size: [45, 176] },
    ],
  });
});

describe('errors name file and key, what was found and what is allowed', () => {
  test.each([
    ['no JSON', '{"ROI_a": ', /^m\.json: not valid JSON: /],
    ['no object', '[]', /^m\.json: \[\] instead of an object of ROIs/],
    ['no ROI', '{"image_angle": 0}', /^m\.json: no ROI in it/],
    ['no angle', JSON.stringify({ ROI_001A_N: roi }), /image_angle: missing.*degrees/],
    ['an angle in words', text({ image_angle: '0.6' }), /image_angle: "0\.6" instead of a number of degrees/],
    ['an infinite angle', text({}).replace('0.6', '1e999'), /image_angle: null instead of a number/],
    ['an ROI that is none', text({ ROI_x: 3 }), /ROI_x: 3 instead of an object/],
    ['a missing key', text({ ROI_x: { ...roi, label: 'x', size: undefined } }), /ROI_x: "size" is missing/],
    ['an empty label', text({ ROI_x: { ...roi, label: '' } }), /ROI_x: label: "" instead of a name/],
    [
      'a flip that is no truth value',
      text({ ROI_x: { ...roi, label: 'x', flip: 1 } }),
      /ROI_x: flip: 1 instead of true or false/,
    ],
    [
      'one coordinate',
      text({ ROI_x: { ...roi, label: 'x', coords: [1] } }),
      /ROI_x: coords: \[1\] instead of two numbers/,
    ],
    [
      'a coordinate in words',
      text({ ROI_x: { ...roi, label: 'x', coords: [1, '2'] } }),
      /ROI_x: coords: \[1,"2"\] instead of two/,
    ],
    [
      'a negative coordinate',
      text({ ROI_x: { ...roi, label: 'x', coords: [-5, 2] } }),
      /ROI_x: coords: \[-5,2\]; both must be at least 0/,
    ],
    [
      'a size of nothing',
      text({ ROI_x: { ...roi, label: 'x', size: [0, 176] } }),
      /ROI_x: size: \[0,176\]; both must be at least 1/,
    ],
    ['a label twice', text({ ROI_x: roi }), /ROI_x: label "001A_N" is that of ROI_001A_N too/],
    [
      'a key twice',
      `{"ROI_a": ${JSON.stringify(roi)}, "ROI_a": ${JSON.stringify(roi)}, "image_angle": 0}`,
      /ROI_a: this key is there twice/,
    ],
  ])('%s', (_, bad, message) => {
    expect(() => parseRoiManifest(bad, 'm.json')).toThrow(message);
  });

  test('keys inside ROIs may repeat from one to the next', () => {
    const nested = text({ ROI_x: { ...roi, label: 'ROI_001A_N": {' } });
    expect(parseRoiManifest(nested, 'm.json').rois).toHaveLength(2);
  });
});

const reference = '../shared/reference';
describe.skipIf(!existsSync(reference))('manifests of the Python system (shared reference)', () => {
  test.each([
    ['legacy_gauss/ROI_manifest.json', 80],
    ['calibration_2labels/original/ROI_manifest.json', 136],
    ['calibration_4labels/original/ROI_manifest.json', 644],
  ])('%s', (file, count) => {
    const path = `${reference}/${file}`;
    expect(parseRoiManifest(readFileSync(path, 'utf8'), path).rois).toHaveLength(count);
  });
});
