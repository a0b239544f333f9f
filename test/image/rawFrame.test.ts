import { describe, expect, it } from 'vitest';
import { decodeRaw, type RawFormat, rawBytes, rawStride } from '../../src/image/rawFrame.ts';

/** A frame of 2 × 2 pixels with luma 10, 20, 30, 40, and a byte of 99 wherever there is no luma. */
const luma: readonly (readonly [RawFormat, stride: number, bytes: readonly number[]])[] = [
  ['GRAY8', 2, [10, 20, 30, 40]],
  ['GRAY8', 4, [10, 20, 99, 99, 30, 40, 99, 99]],
  ['YUY2', 4, [10, 99, 20, 99, 30, 99, 40, 99]],
  ['YVYU', 4, [10, 99, 20, 99, 30, 99, 40, 99]],
  ['UYVY', 4, [99, 10, 99, 20, 99, 30, 99, 40]],
  ['I420', 2, [10, 20, 30, 40, 99, 99]],
  ['NV12', 2, [10, 20, 30, 40, 99, 99]],
];

describe('a raw frame', () => {
  it.each(luma)('%s with rows of %i bytes keeps its luma as it is', (format, stride, bytes) => {
    const pixels = decodeRaw(Uint8Array.from(bytes), { format, width: 2, height: 2, stride });
    expect(pixels).toEqual({ width: 2, height: 2, depth: 8, data: Uint8Array.of(10, 20, 30, 40) });
  });

  it.each([
    ['GRAY16_LE', [0x34, 0x12, 0xff, 0xff, 9, 9, 9, 9, 0x01, 0x00, 0x00, 0x01]],
    ['GRAY16_BE', [0x12, 0x34, 0xff, 0xff, 9, 9, 9, 9, 0x00, 0x01, 0x01, 0x00]],
  ] as const)('%s keeps all 16 bits, also from an odd address', (format, bytes) => {
    const odd = new Uint8Array(bytes.length + 1);
    odd.set(bytes, 1);
    const pixels = decodeRaw(odd.subarray(1), { format, width: 2, height: 2, stride: 8 });
    expect(pixels).toEqual({ width: 2, height: 2, depth: 16, data: Uint16Array.of(0x1234, 0xffff, 1, 0x100) });
  });

  it.each([
    ['RGB', [255, 0, 0, 0, 255, 0]],
    ['BGR', [0, 0, 255, 0, 255, 0]],
    ['RGBx', [255, 0, 0, 7, 0, 255, 0, 7]],
    ['BGRA', [0, 0, 255, 7, 0, 255, 0, 7]],
  ] as const)('%s becomes BT.601 luma, rounded to nearest', (format, bytes) => {
    const { data } = decodeRaw(Uint8Array.from(bytes), { format, width: 2, height: 1, stride: bytes.length });
    expect([...data]).toEqual([76, 150]);
  });

  it('of which bytes are missing is refused', () => {
    expect(() => decodeRaw(new Uint8Array(3), { format: 'GRAY8', width: 2, height: 2, stride: 2 })).toThrow(
      'a frame of 3 bytes, of at least 4',
    );
  });

  // As gst-launch-1.0 (rows at multiples of 4) and ffmpeg (no gaps) write them.
  it.each([
    ['GRAY8', 7, 3, 24, 21],
    ['GRAY16_LE', 7, 3, 48, 42],
    ['YUY2', 7, 3, 48, 48],
    ['I420', 7, 3, 48, 37],
    ['I420', 10, 4, 80, 60],
    ['I420', 6, 5, 72, 48],
    ['NV12', 10, 4, 72, 60],
    ['NV12', 7, 3, 48, 37],
    ['RGB', 7, 3, 72, 63],
    ['BGRx', 7, 3, 84, 84],
  ] as const)(
    '%s of %i × %i has as many bytes as GStreamer and ffmpeg give it',
    (format, width, height, gst, ffmpeg) => {
      const bytes = (align: number) =>
        rawBytes({ format, width, height, stride: rawStride(format, width, align) }, align);
      expect([bytes(4), bytes(1)]).toEqual([gst, ffmpeg]);
    },
  );
});
