import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles, type OpenFlags } from '../../src/files/files.ts';
import { BadImageError } from '../../src/image/badImageError.ts';
import { compressFile, holdsSame, UncompressibleFileError } from '../../src/image/compressFile.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { codecOf, decompress, imageNames, plainName } from '../../src/model/compression.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'compress-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = (path: string, changes: Partial<Parameters<typeof compressFile>[0]> = {}) => ({
  files: nodeFiles,
  path,
  codec: 'gzip' as const,
  level: 1,
  minSaving: 0.05,
  signal: new AbortController().signal,
  ...changes,
});

/** A frame as a microscope writes it: 16 bits, not compressed. */
async function tiff(width = 64, height = 48): Promise<{ bytes: Buffer; pixels: Uint16Array }> {
  const pixels = Uint16Array.from({ length: width * height }, (_, i) => (i * 37) % 4096);
  const image = sharp(pixels, { raw: { width, height, channels: 1 } }).toColourspace('grey16');
  return { bytes: await image.tiff({ compression: 'none' }).toBuffer(), pixels };
}

describe('an image file', () => {
  it('tells by its name how it is compressed', () => {
    expect(['a.png', 'a.png.gz', 'a.TIF.GZ', 'a.tif.zst', '.gz', 'gz'].map(codecOf)).toEqual([
      null,
      'gzip',
      'gzip',
      'zstd',
      null,
      null,
    ]);
    expect(['a.png', 'a.png.gz', 'a.tif.zst'].map(plainName)).toEqual(['a.png', 'a.png', 'a.tif']);
    expect(imageNames('a.png')).toEqual(['a.png', 'a.png.gz', 'a.png.zst']);
    expect(imageNames('a.png.zst')).toEqual(['a.png.zst', 'a.png', 'a.png.gz']);
  });

  it.each(['gzip', 'zstd'] as const)(
    'compressed with %s is decoded as it was, by analysis and console',
    async codec => {
      const { bytes, pixels } = await tiff();
      const path = join(folder, 'a.tif');
      await writeFile(path, bytes);
      const compressed = await compressFile(options(path, { codec }));
      if (compressed.kind !== 'compressed') throw new Error('a plain TIFF shrinks');
      expect(await readdir(folder)).toEqual(['a.tif', codec === 'gzip' ? 'a.tif.gz' : 'a.tif.zst']);
      expect(await decompress(await readFile(compressed.path), compressed.path)).toEqual(bytes);
      for (const frame of [
        await decodeFrame(compressed.path),
        await decodeFrame(await readFile(compressed.path), compressed.path),
      ]) {
        expect(frame).toMatchObject({ width: 64, height: 48, depth: 16 });
        expect(frame.data).toEqual(pixels);
      }
    },
  );

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 9)],
    ['damaged', (bytes: Buffer) => bytes.fill(0xff, 30, 60)],
    ['empty', () => Buffer.alloc(0)],
    ['not compressed at all', () => Buffer.from('an image')],
  ])('that is %s is a bad image that names the file', async (_what, spoil) => {
    const { bytes } = await tiff();
    for (const [name, packed] of [
      ['a.tif.gz', gzipSync(bytes)],
      ['a.tif.zst', zstdCompressSync(bytes)],
    ] as const) {
      const path = join(folder, name);
      await writeFile(path, spoil(packed));
      const error: Error = await decodeFrame(path).catch(cause => cause);
      expect(error).toBeInstanceOf(BadImageError);
      expect(error.message).toContain(`${name}: `);
    }
  });
});

describe('compressFile', () => {
  it.each(['gzip', 'zstd'] as const)('with %s holds little of a large file at a time', async codec => {
    const path = join(folder, 'large.tif');
    // Bytes that do not shrink: what was read and not yet written is held in memory.
    const size = 16 << 20;
    await writeFile(path, randomBytes(size));
    let held = 0;
    let most = 0;
    const files = {
      ...nodeFiles,
      open: async (name: string, flags: OpenFlags) => {
        const file = await nodeFiles.open(name, flags);
        const read = async (into: Uint8Array, position: number) => {
          const length = await file.read(into, position);
          if (name === path) held += length;
          most = Math.max(most, held);
          return length;
        };
        const write = async (data: Uint8Array, position: number | null) => {
          held -= data.length;
          return file.write(data, position);
        };
        return {
          read,
          write,
          size: () => file.size(),
          truncate: (length: number) => file.truncate(length),
          sync: () => file.sync(),
          close: () => file.close(),
        };
      },
    };
    const outcome = await compressFile(options(path, { files, codec }));
    expect(outcome).toMatchObject({ kind: 'incompressible', from: size });
    expect(most).toBeLessThan(6 << 20);
  });

  it('keeps no copy that saves too little', async () => {
    const path = join(folder, 'a.png');
    const bytes = zstdCompressSync(Buffer.alloc(100_000, 'abc'));
    await writeFile(path, bytes);
    const outcome = await compressFile(options(path));
    expect(outcome).toMatchObject({ kind: 'incompressible', from: bytes.length });
    expect(await readdir(folder)).toEqual(['a.png']);
  });

  it('compresses an empty file to nothing better', async () => {
    const path = join(folder, 'a.tif');
    await writeFile(path, '');
    expect(await compressFile(options(path))).toMatchObject({ kind: 'incompressible', from: 0 });
  });

  it('ends within a chunk when it is told to, with its reason, and leaves nothing', async () => {
    const path = join(folder, 'a.tif');
    await writeFile(path, Buffer.alloc(8 << 20, 'abc'));
    const stop = new AbortController();
    const reason = new Error('enough');
    const files = {
      ...nodeFiles,
      open: async (name: string, flags: OpenFlags) => {
        const file = await nodeFiles.open(name, flags);
        if (name === path) stop.abort(reason);
        return file;
      },
    };
    await expect(compressFile(options(path, { files, signal: stop.signal }))).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual(['a.tif']);
  });

  it('says which file is not there', async () => {
    const path = join(folder, 'none.tif');
    await expect(compressFile(options(path))).rejects.toThrow(UncompressibleFileError);
    await expect(compressFile(options(path))).rejects.toThrow(path);
  });

  it('tells whether a copy holds the same, and that a damaged one does not', async () => {
    const plain = join(folder, 'a.tif');
    const copy = `${plain}.gz`;
    const { signal } = new AbortController();
    await writeFile(plain, 'pixels');
    const told = [];
    for (const content of [gzipSync('pixels'), gzipSync('pixelS'), gzipSync('pixels').subarray(0, 20), 'pixels']) {
      await writeFile(copy, content);
      told.push(await holdsSame(nodeFiles, { plain, copy, signal }));
    }
    expect(told).toEqual([true, false, false, false]);
    await rm(copy);
    await expect(holdsSame(nodeFiles, { plain, copy, signal })).rejects.toThrow(UncompressibleFileError);
  });
});
