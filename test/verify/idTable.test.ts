import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdTable } from '../../src/manifest/idTable.ts';

it('an id table numbers ids as a map does, whatever they are', () => {
  const id = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'a', 'b', '\u00e9', 'i-1', 'i-2'));
  fc.assert(
    fc.property(fc.array(id, { maxLength: 50 }), ids => {
      const table = new IdTable();
      const map = new Map<string, number>();
      for (const one of ids) {
        if (!map.has(one)) map.set(one, map.size);
        if (table.add(one) !== map.get(one)) return false;
      }
      const isSame = [...map].every(([one, number]) => table.find(one) === number && table.id(number) === one);
      return isSame && table.size === map.size && table.find('never added') === -1;
    }),
  );
});

it('an id table grows, and finds each of many ids again', () => {
  const table = new IdTable();
  const idOf = (i: number): string => `01M81FKVJ6R96PXJ${i.toString(32).padStart(10, '0')}`;
  for (let i = 0; i < 20_000; i++) table.add(idOf(i));
  const wrong = Array.from({ length: 20_000 }, (_, i) => i).filter(
    i => table.find(idOf(i)) !== i || table.id(i) !== idOf(i),
  );
  expect(wrong).toEqual([]);
});
