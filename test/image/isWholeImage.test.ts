import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { isWholeImage, type Wholeness } from '../../src/image/isWholeImage.ts';

const width = 60;
const height = 40;
const pixels = Uint8Array.from({ length: width * height }, (_, i) => 20 + ((i * 7) % 200));
const image = () => sharp(pixels, { raw: { width, height, channels: 1 } }).toColourspace('b-w');

/** A TIFF as Python's tifffile writes it: header, directory, pixels. */
function directoryFirst(): Buffer {
  const entries = [
    [256, width],
    [257, height],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, 8 + 2 + 12 * 9 + 4],
    [277, 1],
    [278, height],
    [279, pixels.length],
  ] as const;
  const head = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
  head.write('II*\0', 0, 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, value]] of entries.entries()) {
    const at = 10 + 12 * i;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(4, at + 2);
    head.writeUInt32LE(1, at + 4);
    head.writeUInt32LE(value, at + 8);
  }
  return Buffer.concat([head, pixels]);
}

function wholenessOf(bytes: Uint8Array, name = 'image'): Promise<Wholeness> {
  const file = {
    size: async () => bytes.length,
    read: async (into: Uint8Array, position: number) => {
      const part = bytes.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
  };
  return isWholeImage(file, name);
}

describe('an image that is being written', () => {
  it.each([
    ['PNG', () => image().png().toBuffer()],
    ['JPEG', () => image().jpeg().toBuffer()],
    ['progressive JPEG', () => image().jpeg({ progressive: true }).toBuffer()],
    ['TIFF', () => image().tiff({ compression: 'none' }).toBuffer()],
    ['LZW TIFF', () => image().tiff({ compression: 'lzw' }).toBuffer()],
    ['tiled TIFF', () => image().tiff({ tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer()],
    ['big TIFF', () => image().tiff({ bigtiff: true }).toBuffer()],
    ['TIFF with its directory before its pixels', async () => directoryFirst()],
  ] as const)('is cut off until all of it is there: %s', async (_, make) => {
    const bytes = await make();
    for (let i = 0; i < 200; i++) {
      const part = bytes.subarray(0, Math.floor((i * bytes.length) / 200));
      const found = await wholenessOf(part);
      // A writer may leave bytes at the end that nothing refers to.
      if (found === 'whole') expect((await decodeFrame(part)).data).toEqual((await decodeFrame(bytes)).data);
      else expect(found).toBe('cut');
    }
    expect(await wholenessOf(bytes)).toBe('whole');
  });

  it('is doubtful where its length was there first, or it is compressed: its end tells nothing', async () => {
    const tiff = directoryFirst();
    expect(await wholenessOf(Buffer.concat([tiff.subarray(0, 1500), Buffer.alloc(tiff.length - 1500)]))).toBe(
      'doubtful',
    );
    expect(await wholenessOf(tiff, 'image.tif.gz')).toBe('doubtful');
    const png = await image().png().toBuffer();
    expect(await wholenessOf(Buffer.concat([png.subarray(0, 100), Buffer.alloc(png.length - 100)]))).toBe('cut');
  });

  it('is cut off where it is no image, and whole where little stands behind it', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(5000),
      Buffer.from('BM what else'),
      Buffer.from('II'),
      Buffer.from('\x89PNG'),
    ])
      expect(await wholenessOf(bytes)).toBe('cut');
    for (const bytes of [await image().png().toBuffer(), await image().jpeg().toBuffer()])
      expect(await wholenessOf(Buffer.concat([bytes, Buffer.from('\nwritten by a camera\0\0')]))).toBe('whole');
  });

  it('that leads in a circle, or claims strips beyond any file, ends the look', async () => {
    const tiff = directoryFirst();
    for (let at = 4; at < 200; at++) {
      const damaged = Buffer.from(tiff);
      damaged.fill(0xff, at, at + 4);
      expect(['whole', 'cut', 'doubtful']).toContain(await wholenessOf(damaged));
    }
  });
});
