import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitArray } from '../../src/manifest/splitArray.ts';

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let from = 0, i = 0; from < bytes.length; i++) {
    const to = from + (sizes.length > 0 ? sizes[i % sizes.length] : bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
}

async function split(text: string | Buffer, sizes: readonly number[] = []) {
  const objects: unknown[] = [];
  const pieces = splitArray(inChunks(Buffer.from(text as string), sizes));
  for (;;) {
    const next = await pieces.next();
    if (next.done) return { objects, closed: next.value };
    objects.push(JSON.parse(next.value));
  }
}

const anObject = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }));
const indentation = fc.constantFrom(undefined, 1, 4, '\t');
const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
/** As JSON reads them: `-0` and the like are others afterwards. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('splitArray', () => {
  test('gives the objects of an array in any formatting and any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anObject), indentation, chunkSizes, async (objects, indent, sizes) => {
        expect(await split(JSON.stringify(objects, null, indent), sizes)).toEqual({
          objects: asJson(objects),
          closed: true,
        });
      }),
    );
  });

  test('gives all whole objects of an array that was cut off anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anObject), indentation, fc.nat(), async (objects, indent, cut) => {
        const bytes = Buffer.from(JSON.stringify(objects, null, indent));
        const part = bytes.subarray(0, cut % bytes.length);
        const { objects: found, closed } = await split(part);
        expect(closed).toBe(false);
        expect(found).toEqual((asJson(objects) as unknown[]).slice(0, found.length));
        // No object that ended before the cut is missing.
        const whole = objects.filter((_, i) => {
          const before = Buffer.byteLength(JSON.stringify(objects.slice(0, i + 1), null, indent));
          return before <= part.length;
        });
        expect(found.length).toBeGreaterThanOrEqual(whole.length);
      }),
    );
  });

  test('reads braces, brackets, quotes and escapes in strings as text', async () => {
    const objects = [{ 'a}]"\\': '{"[', b: '\\"}' }, { c: 'ü\u2028😀' }];
    expect((await split(JSON.stringify(objects), [1])).objects).toEqual(objects);
  });

  test('takes a byte order mark and nothing at all', async () => {
    expect(await split(Buffer.from('\ufeff[{"a":1}]'))).toEqual({ objects: [{ a: 1 }], closed: true });
    expect(await split('')).toEqual({ objects: [], closed: false });
    expect(await split(' [ ] \n')).toEqual({ objects: [], closed: true });
  });

  test.each(['{"a":1}', '[1]', '["a"]', '[{}] x', '[[{}]]', 'null'])('refuses %s and says where', async text => {
    await expect(split(text)).rejects.toThrow(/unexpected ".*" at byte \d+; an array of objects is expected/);
  });
});
