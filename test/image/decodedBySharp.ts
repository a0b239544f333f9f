import sharp from 'sharp';
import type { Pixels } from '../../src/model/frame.ts';

/** What sharp makes of a gray image, asked as `decodeFrame` asks it; null when it refuses. */
export async function decodedBySharp(bytes: Uint8Array): Promise<Pixels | null> {
  try {
    const image = sharp(bytes, { failOn: 'error', ignoreIcc: true });
    const depth = (await image.metadata()).depth === 'ushort' ? 16 : 8;
    const plain = image.removeAlpha();
    const raw =
      depth === 16 ? plain.toColourspace('grey16').raw({ depth: 'ushort' }) : plain.toColourspace('b-w').raw();
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    const copy = new Uint8Array(data);
    return {
      width: info.width,
      height: info.height,
      depth,
      data: depth === 16 ? new Uint16Array(copy.buffer) : copy,
    };
  } catch {
    return null;
  }
}
