import { describe, expect, it } from 'vitest';
import { frameStatistics } from '../../src/image/frameStatistics.ts';
import { drawFrame, reduceFrame } from '../../src/image/reducedFrame.ts';
import type { Pixels } from '../../src/model/frame.ts';

const never = new AbortController().signal;

/** Always the same numbers, in a range with a pile at its upper end when asked. */
function frameOf(width: number, height: number, depth: 8 | 16, full = 2 ** depth, pile = 0): Pixels {
  const data = depth === 8 ? new Uint8Array(width * height) : new Uint16Array(width * height);
  let state = 12345;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[i] = i < pile ? full - 1 : (state >>> 8) % (full >>> 1);
  }
  return { width, height, depth, data };
}

describe('a reduced frame', () => {
  it.each([
    ['8 bit', frameOf(300, 200, 8)],
    ['8 bit, saturated', frameOf(300, 200, 8, 256, 600)],
    ['16 bit', frameOf(301, 203, 16)],
    ['12 bit in 16, saturated', frameOf(300, 200, 16, 4096, 300)],
    ['one hot pixel', frameOf(300, 200, 8, 256, 1)],
    ['larger than what is kept', frameOf(2500, 1100, 16)],
    ['one pixel', { width: 1, height: 1, depth: 8, data: Uint8Array.of(7) } as Pixels],
  ])('tells the figures of the analysis: %s', async (_, pixels) => {
    const { statistics, saturation } = frameStatistics(pixels);
    const reduced = await reduceFrame(pixels, never);
    expect(reduced.brightness).toBeCloseTo(statistics.brightness, 1);
    expect(Math.abs(reduced.brightness - statistics.brightness)).toBeLessThan(0.0101);
    expect(Math.abs(reduced.contrast - statistics.contrast)).toBeLessThan(0.0101);
    let saturated = 0;
    for (const value of pixels.data) if (value >= saturation) saturated++;
    expect(reduced.saturated).toBeCloseTo(saturated / pixels.data.length, 12);
  });

  it('holds means over blocks, those at the edges of what there is', async () => {
    const pixels = frameOf(2500, 1100, 16);
    const reduced = await reduceFrame(pixels, never);
    expect(reduced).toMatchObject({ frameWidth: 2500, frameHeight: 1100, width: 834, height: 367 });
    const meanOf = (left: number, top: number): number => {
      let sum = 0;
      let count = 0;
      for (let y = top; y < Math.min(top + 3, 1100); y++) {
        for (let x = left; x < Math.min(left + 3, 2500); x++) {
          sum += pixels.data[y * 2500 + x];
          count++;
        }
      }
      return sum / count;
    };
    expect(reduced.means[0]).toBeCloseTo(meanOf(0, 0), 1);
    expect(reduced.means[100 * 834 + 200]).toBeCloseTo(meanOf(600, 300), 1);
    expect(reduced.means[366 * 834 + 833]).toBeCloseTo(meanOf(2499, 1098), 1);
  });

  it('is given up when nobody looks any more', async () => {
    const abort = new AbortController();
    const reducing = reduceFrame(frameOf(3000, 3000, 8), abort.signal);
    abort.abort(new Error('left'));
    await expect(reducing).rejects.toThrow('left');
  });
});

describe('the picture of a frame', () => {
  const reducedOf = (width: number, height: number, values: number[]) =>
    reduceFrame({ width, height, depth: 8, data: Uint8Array.from(values) }, never);

  it('averages areas exactly, also parts of pixels, and is stretched to the full range', async () => {
    const tall = await reducedOf(3, 3, [0, 33, 60, 90, 90, 90, 90, 90, 90]);
    // Columns: 11 51, 90 90, 90 90; rows of one and a half: (11 + 45) / 1.5, (51 + 45) / 1.5, 90, 90.
    const [a, b] = [56 / 1.5, 96 / 1.5];
    expect([...drawFrame(tall, { width: 2, height: 5 }).grey]).toEqual([
      0,
      Math.round((255 * (b - a)) / (90 - a)),
      255,
      255,
    ]);
  });

  it('keeps the aspect ratio within the size, and is never enlarged', async () => {
    const reduced = await reduceFrame(frameOf(400, 100, 8), never);
    expect(drawFrame(reduced, { width: 80, height: 80 })).toMatchObject({ width: 80, height: 20 });
    expect(drawFrame(reduced, { width: 80, height: 10 })).toMatchObject({ width: 40, height: 10 });
    expect(drawFrame(reduced, { width: 8000, height: 8000 })).toMatchObject({ width: 400, height: 100 });
    expect(drawFrame(reduced, { width: 2, height: 1 })).toMatchObject({ width: 2, height: 1 });
  });

  it('is mid grey where the frame is flat', async () => {
    const reduced = await reducedOf(2, 2, [5, 5, 5, 5]);
    expect([...drawFrame(reduced, { width: 2, height: 2 }).grey]).toEqual([128, 128, 128, 128]);
  });
});
