import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chipOfType, parseChipMap } from '../../src/calibration/chipMap.ts';
import { findTemplate } from '../../src/calibration/labelTemplate.ts';

const reference = '../shared/reference/chip';

const map = (change: (chip: Record<string, unknown>) => void = () => undefined): string => {
  const chip: Record<string, unknown> = {
    chip_type: 'A_1',
    labels: [{ label: 'X', 'x-size': 10, 'y-size': 20, label_origin: [1, 2] }],
    gratings: [
      { label: '7', 'x-size': 30, 'y-size': 40, grating_origin: [3, 4] },
      { label: '7', 'x-size': 30, 'y-size': 40, grating_origin: [50, 4] },
    ],
  };
  change(chip);
  return JSON.stringify({ chip: [chip] });
};

describe('parseChipMap', () => {
  test('reads labels and gratings with their corners and sizes', () => {
    const [chip] = parseChipMap(map(), 'm.json');
    expect(chip.labels).toEqual([{ label: 'X', left: 1, top: 2, width: 10, height: 20 }]);
    expect(chip.gratings[0]).toEqual({ label: '7_1', left: 3, top: 4, width: 30, height: 40 });
  });

  test('tells two gratings of one name apart, so that no ROI hides another', () => {
    expect(parseChipMap(map(), 'm.json')[0].gratings.map(({ label }) => label)).toEqual(['7_1', '7_2']);
  });

  test.each([
    ['text that is no JSON', '{"chip": [', /m\.json: not valid JSON: it ends too early/],
    ['no list of chips', '{"chips": []}', /m\.json: chip: must be a list of chips/],
    [
      'a size that is text',
      map(chip => Object.assign((chip.gratings as object[])[1], { 'x-size': '30' })),
      /m\.json: chip 1 \(A_1\) gratings 2 x-size: must be a number of design units/,
    ],
    [
      'a size of 0',
      map(chip => Object.assign((chip.labels as object[])[0], { 'y-size': 0 })),
      /m\.json: chip 1 \(A_1\) labels 1 y-size: must be more than 0/,
    ],
    [
      'an origin of one number',
      map(chip => Object.assign((chip.labels as object[])[0], { label_origin: [1] })),
      /m\.json: chip 1 \(A_1\) labels 1 label_origin: /,
    ],
    ['one chip twice', `{"chip": [{"chip_type": "A"}, {"chip_type": "A"}]}`, /chip_type "A" is there twice/],
  ])('%s: the error names file and key', (_, text, message) => {
    expect(() => parseChipMap(text, 'm.json')).toThrow(message);
  });

  test('a chip that is not there, or has nothing to be located by: the error lists those that can be', () => {
    const chips = parseChipMap(`{"chip": [{"chip_type": "UoY"}, ${map().slice(9, -2)}]}`, 'm.json');
    expect(() => chipOfType(chips, 'A_2', 'm.json')).toThrow('m.json: there is no chip_type "A_2"; there are A_1');
    expect(() => chipOfType(chips, 'UoY', 'm.json')).toThrow('"UoY" has no labels or no gratings');
  });
});

const isThere = existsSync(reference);

// The body runs also where its tests are skipped.
describe.skipIf(!isThere)('the chip map of the Python system (../shared/reference/chip)', () => {
  const chips = isThere ? parseChipMap(readFileSync(`${reference}/Chip_map.json`, 'utf8'), 'Chip_map.json') : [];
  const files = isThere ? readdirSync(reference, { recursive: true, encoding: 'utf8' }) : [];

  test('is read as it is', () => {
    expect(chips.map(({ type, labels, gratings }) => [type, labels.length, gratings.length])).toEqual([
      ['UoY', 0, 0],
      ['IMEC-I', 10, 10],
      ['IMECII_3', 28, 27],
      ['IMECII_4', 16, 15],
      ['IMECII_2', 22, 322],
    ]);
  });

  test('every label of every chip has its picture', () => {
    const without = chips.flatMap(({ type, labels }) =>
      labels.filter(({ label }) => findTemplate(files, type, label) === null).map(({ label }) => `${type} ${label}`),
    );
    expect(without).toEqual([]);
    expect(findTemplate(files, 'IMECII_2', 'B-Left')).toBe('IMECII/IMECII_2/B-Left.png');
    expect(findTemplate(files, 'IMECII_3', '3_large')).toBe('IMECII/IMECII_3/3-Large.png');
    expect(findTemplate(files, 'IMEC-I', '2R')).toBe('IMECI/2.png');
  });
});
