import { describe, expect, it } from 'vitest';
import { counted, duration, estimate, shortDuration, withError } from '../../src/model/quantity.ts';

it('one thing is one, and others are many', () => {
  expect([0, 1, 2, 12_880].map(count => counted(count, 'warning'))).toEqual([
    '0 warnings',
    '1 warning',
    '2 warnings',
    '12,880 warnings',
  ]);
  expect(counted(1, 'entry is', 'entries are')).toBe('1 entry is');
});

it.each([
  [0.19384, 0.01042, '0.194 ± 0.010'],
  [-0.19384, 0.0996, '-0.19 ± 0.10'],
  [1234.5678, 0.00087, '1234.56780 ± 0.00087'],
  [-0.00001, 0.02, '0.000 ± 0.020'],
  [1234.5, 340, '1235 ± 340'],
  [1.2341e-9, 2e-11, '1.234e-9 ± 2.0e-11'],
  [0, 2e-11, '0.000000 ± 2.0e-11'],
  [0.25, Number.NaN, '0.2500 ± ?'],
  [0.25, 0, '0.2500 ± 0'],
  [Number.NaN, 0.01, '? ± 0.010'],
])('%d with the error %d has as many decimals as two figures of the error ask for: %s', (value, sigma, text) => {
  expect(withError(value, sigma)).toBe(text);
});

describe('a length of time', () => {
  it.each([
    [0, '0 ms', 'under 1 s', '0 ms'],
    [960, '960 ms', '1 s', '960 ms'],
    [12_340, '12.3 s', '12 s', '12 s'],
    [59_600, '59.6 s', '1 min', '1 min'],
    [89_000, '1 min 29 s', '1 min 29 s', '1 min'],
    [754_000, '12 min 34 s', '13 min', '13 min'],
    [3_590_000, '59 min 50 s', '1 h', '1 h'],
    [12_000_000, '3 h 20 min', '3 h 20 min', '3 h'],
    [100 * 3_600_000, '4 d 4 h', '4 d 4 h', '4 d'],
    [400 * 86_400_000, '400 d', '400 d', '400 d'],
  ])(
    'of %d ms is %s, as an estimate %s, in a narrow column %s: the same units everywhere',
    (ms, exact, about, narrow) => {
      expect([duration(ms), estimate(ms), shortDuration(ms)]).toEqual([exact, about, narrow]);
      expect(narrow.length).toBeLessThanOrEqual(6);
    },
  );
});
