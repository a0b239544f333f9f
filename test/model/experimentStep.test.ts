import { expect, test } from 'vitest';
import { indexText } from '../../src/model/experimentStep.ts';

test('a refractive index has the digits that were given, and four decimals at least', () => {
  expect([1.333, 1.3402, 1.33305, 1.5, undefined].map(indexText)).toEqual([
    '1.3330',
    '1.3402',
    '1.33305',
    '1.5000',
    '',
  ]);
});
