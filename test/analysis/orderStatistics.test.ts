import fc from 'fast-check';
import { expect, test } from 'vitest';
import { medianInPlace, nthSmallest } from '../../src/analysis/nthSmallest.ts';
import { quantile } from '../../src/analysis/quantile.ts';
import { sortAscending } from '../../src/analysis/sortAscending.ts';

/** With many equal values among them. */
const manyValues = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ noNaN: true })), {
  minLength: 1,
  maxLength: 150,
});
// Minus zero sorts before zero in the engine's order, and beside it in ours.
const ascending = (values: readonly number[]): number[] => values.map(value => value + 0).toSorted((a, b) => a - b);

test('the value at a place is that of the sorted values', () => {
  fc.assert(
    fc.property(manyValues, fc.nat(), (values, any) => {
      const place = any % values.length;
      const found = Float64Array.of(9, ...values, -9);
      expect(nthSmallest(found, 1, values.length + 1, place + 1) + 0).toBe(ascending(values)[place]);
      expect([found[0], found.at(-1)]).toEqual([9, -9]);
      expect(ascending([...found.subarray(1, -1)])).toEqual(ascending(values));
    }),
  );
});

test('the median is the middle quantile', () => {
  const finite = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 90 });
  fc.assert(
    fc.property(finite, values => {
      expect(medianInPlace(Float64Array.from(values), 0, values.length)).toBe(quantile(ascending(values), 0.5));
    }),
  );
});

test('values are sorted, few or many, those behind the count are left', () => {
  fc.assert(
    fc.property(manyValues, values => {
      const sorted = sortAscending(Float64Array.of(...values, -1e300), values.length);
      expect(ascending([...sorted.subarray(0, -1)])).toEqual(ascending(values));
      expect([...sorted.subarray(0, -1)].map(value => value + 0)).toEqual(ascending(values));
      expect(sorted.at(-1)).toBe(-1e300);
    }),
  );
});
