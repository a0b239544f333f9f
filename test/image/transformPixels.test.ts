import { describe, expect, it } from 'vitest';
import { type ImageTransform, transformPixels } from '../../src/image/transformPixels.ts';
import type { Pixels } from '../../src/model/frame.ts';

/** abc / def, as bytes or as words. */
const frame = (data: Uint8Array | Uint16Array): Pixels => ({
  width: 3,
  height: 2,
  depth: data instanceof Uint16Array ? 16 : 8,
  data,
});

const cases: [ImageTransform, number, number, number[]][] = [
  ['NONE', 3, 2, [1, 2, 3, 4, 5, 6]],
  ['HORIZONTAL_FLIP', 3, 2, [3, 2, 1, 6, 5, 4]],
  ['VERTICAL_FLIP', 3, 2, [4, 5, 6, 1, 2, 3]],
  ['ROTATE_180', 3, 2, [6, 5, 4, 3, 2, 1]],
  ['ROTATE_90_CLOCKWISE', 2, 3, [4, 1, 5, 2, 6, 3]],
  ['ROTATE_90_COUNTERCLOCKWISE', 2, 3, [3, 6, 2, 5, 1, 4]],
];

describe('transformPixels', () => {
  it.each(cases)('%s', (transform, width, height, expected) => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);
    expect(transformPixels(frame(bytes), transform)).toEqual({
      width,
      height,
      depth: 8,
      data: Uint8Array.from(expected),
    });
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  });

  it.each(cases)('%s at 16 bits', (transform, width, height, expected) => {
    const words = Uint16Array.of(1, 2, 3, 4, 5, 6).map(value => value * 10_000);
    const data = Uint16Array.from(expected, value => value * 10_000);
    expect(transformPixels(frame(words), transform)).toEqual({ width, height, depth: 16, data });
  });

  it('undoes a turn by the opposite one', () => {
    const turned = transformPixels(frame(Uint8Array.of(1, 2, 3, 4, 5, 6)), 'ROTATE_90_CLOCKWISE');
    expect(transformPixels(turned, 'ROTATE_90_COUNTERCLOCKWISE')).toEqual(frame(Uint8Array.of(1, 2, 3, 4, 5, 6)));
  });
});
