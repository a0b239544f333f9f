import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import { textOf } from '../../src/streams/watched/fileText.ts';

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

const calibration = { image_size: [640, 480], chip_type: 'IMECII_2', scale: 0.7, offset: [3, -4.5] };

describe('errors name file and key, what was found and what is allowed', () => {
  test.each([
    ['no JSON', '{"ROI_a": ', /^m\.json: not valid JSON: /],
    ['no object', '[]', /^m\.json: \[\] instead of an object of ROIs by their keys/],
    [
      'a comma before a bracket',
      text({}).replace(/}$/, ',}'),
      /^m\.json: not valid JSON: line 1: a comma before a closing/,
    ],
    ['a comment', `// mine\n${text({})}`, /not valid JSON: line 1: a comment; JSON has none/],
    ['single quotes', "\n{'ROI_A': 1}", /not valid JSON: line 2: single quotes; JSON takes double quotes/],
    ['curly quotes', '{\u201cROI_A\u201d: 1}', /not valid JSON: line 1: curly quotes/],
    ['no number', text({}).replace('0.6', 'NaN'), /not valid JSON: line 1: NaN or Infinity; a number is needed/],
    ['a decimal comma', text({}).replace('0.6', '0,6'), /not valid JSON: line 1: a comma within a number/],
    ['a word of Python', text({}).replace('true', 'True'), /not valid JSON: line 1: a word of Python/],
    ['a key in small letters', text({ roi_b: { ...roi, label: 'b' } }), /roi_b: would not count.*did you mean ROI_B\?/],
    ['a key with letters swapped', text({ RIO_B: { ...roi, label: 'b' } }), /RIO_B: .*did you mean ROI_B\?/],
    ['a key of another kind', text({ grating: { ...roi, label: 'b' } }), /grating: .*did you mean ROI_grating\?/],
    ['ROIs a level too deep', JSON.stringify({ rois: { ROI_A: roi }, image_angle: 0 }), /rois: ROIs stand in it/],
    ['a misspelt angle', JSON.stringify({ ROI_A: roi, image_angel: 1 }), /image_angle: missing.*; is it image_angel\?/],
    ['an angle of many turns', text({ image_angle: 1e300 }), /image_angle: 1e\+300 instead of .* from -360 to 360/],
    [
      'a size of any number',
      text({ ROI_x: { ...roi, label: 'x', size: [200_000, 200_000] } }),
      /ROI_x: size: .*any image/,
    ],
    ['a label of two lines', text({ ROI_x: { ...roi, label: 'x\ny' } }), /ROI_x: label: "x\\ny" has a line break/],
    ['a note where a ROI should be', text({ ROI_note: 'by hand' }), /ROI_note: "by hand" instead of an object/],
    ['a hundred thousand brackets', `${'['.repeat(1e5)}${']'.repeat(1e5)}`, /^m\.json: a list instead of an object/],
    [
      'a ROI of a hundred thousand brackets',
      `{"ROI_a": ${'['.repeat(1e5)}${']'.repeat(1e5)}, "image_angle": 0}`,
      /ROI_a: a list instead of an object/,
    ],
    [
      'more ROIs than can be analysed',
      `{"image_angle": 0${Array.from({ length: 100_001 }, (_, i) => `,"ROI_${i}":{"label":"${i}","flip":true,"coords":[0,0],"size":[1,1]}`).join('')}}`,
      /^m\.json: 100001 ROIs; up to 100000 are analysed/,
    ],
    [
      'a key that is the prototype',
      '{"__proto__": {"image_angle": 0, "ROI_A": {}}, "x": 1}',
      /__proto__: ROIs stand in it/,
    ],
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
    [
      'a size of the frames that is no size',
      text({ calibration: { ...calibration, image_size: [640] } }),
      /calibration: image_size: \[640\]/,
    ],
    ['a scale of nothing', text({ calibration: { ...calibration, scale: 0 } }), /calibration: scale: 0 instead of/],
    [
      'an offset in words',
      text({ calibration: { ...calibration, offset: ['a', 2] } }),
      /calibration: offset: .* instead of two numbers/,
    ],
    ['a label twice', text({ ROI_x: roi }), /ROI_x: label "001A_N" is that of ROI_001A_N too/],
    [
      'a key twice',
      `{"ROI_a": ${JSON.stringify(roi)}, "ROI_a": ${JSON.stringify(roi)}, "image_angle": 0}`,
      /ROI_a: this key is there twice/,
    ],
  ])('%s', (_, bad, message) => {
    expect(() => parseRoiManifest(bad, 'm.json')).toThrow(message);
    expect(() => parseRoiManifest(bad, 'm.json')).toThrow(/^[^\n]*$/);
  });

  test('what calibration has added is read, and a key of that name from elsewhere is passed over', () => {
    const { madeFor } = parseRoiManifest(text({ calibration }), 'm.json');
    expect(madeFor).toEqual({
      width: 640,
      height: 480,
      chipType: 'IMECII_2',
      scale: 0.7,
      offset: [3, -4.5],
      gratings: [],
    });
    expect(parseRoiManifest(text({ calibration: 'done' }), 'm.json').madeFor).toBeUndefined();
  });

  test('a byte order mark is passed over, and so is a string of millions of characters', () => {
    expect(parseRoiManifest(`\ufeff${text({})}`, 'm.json').rois).toHaveLength(1);
    expect(parseRoiManifest(text({ comment: '"'.repeat(3e6) }), 'm.json').rois).toHaveLength(1);
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

/** What becomes of each: how many ROIs, or what the one sentence says. */
const asPeopleEditThem: Readonly<Record<string, number | RegExp>> = {
  '01-bom': 2,
  '02-utf16': /is UTF-16 text, and must be UTF-8/,
  '03-crlf': 2,
  '04-trailing-comma': /line 26: a comma before a closing bracket/,
  '05-comment': /line 1: a comment/,
  '06-single-quotes': /line 1: single quotes/,
  '07-nan': /line 1: NaN or Infinity/,
  '08-negative': /ROI_B: coords: \[-5,20\]; both must be at least 0/,
  '12-flip-string': /ROI_B: flip: "true" instead of true or false/,
  '13-flip-01': /ROI_B: flip: 1 instead of true or false/,
  '14-duplicate-label': /ROI_B: label "A" is that of ROI_A too/,
  '15-lower-key': /roi_a: .*did you mean ROI_A/,
  '16-one-lower-key': /roi_b: .*did you mean ROI_B/,
  '17-key-typo': /RIO_B: .*did you mean ROI_B/,
  '18-no-angle': /image_angle: missing/,
  '19-angle-string': /image_angle: "0.6" instead of a number/,
  '20-angle-comma': /a comma within a number/,
  '22-zero-size': /ROI_B: size: \[0,176\]/,
  '23-corner-corner': /ROI_B: coords: \[60,20,90,196\] instead of two numbers/,
  '24-numeric-label': /ROI_B: label: 12 instead of a name in quotes/,
  '26-label-comma-newline': /ROI_B: label: .* line break/,
  '28-list': /instead of an object of ROIs/,
  '29-nested': /rois: ROIs stand in it/,
  '30-string-coords': /ROI_B: coords: \["60","20"\] instead of two numbers/,
  '31-null': /ROI_B: null instead of an object/,
  '32-array-angle': /image_angle: \[0\] instead of a number/,
  '34-note-with-ROI': /ROI_note: "made by hand" instead of an object/,
  '36-empty': /image_angle: missing/,
  '37-only-angle': /no ROI in it/,
  '38-dup-key': /ROI_A: this key is there twice/,
  '40-latin1': /is not UTF-8 text: the byte FC/,
  '50-five-thousand': 5000,
};

const field = join(import.meta.dirname, '../../../shared/field/roi');
describe.skipIf(!existsSync(field))('ROI manifests as people edit them (../shared/field/roi)', () => {
  const names = existsSync(field) ? readdirSync(field) : [];
  test.each(names)('%s', name => {
    const read = textOf(readFileSync(join(field, name)));
    const expected = asPeopleEditThem[name.replace(/\.json$/, '')] ?? 2;
    if (read.kind !== 'text') expect(read).toMatchObject({ reason: expect.stringMatching(expected as RegExp) });
    else if (typeof expected === 'number') expect(parseRoiManifest(read.text, name).rois).toHaveLength(expected);
    else expect(() => parseRoiManifest(read.text, name)).toThrow(expected);
  });
});
