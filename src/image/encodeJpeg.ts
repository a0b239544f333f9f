import sharp from 'sharp';
import type { Pixels } from '../model/frame.ts';

/** A frame as 8 bits, 0 to 255 for 0 to `fullScale`, for people to look at. The same pixels where they are that already. */
export function toEightBits({ data }: Pixels, fullScale: number): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const grey = new Uint8Array(data.length);
  const factor = 255 / fullScale;
  for (let i = 0; i < data.length; i++) grey[i] = Math.min(255, Math.round(data[i] * factor));
  return grey;
}

/** A grey picture as JPEG. @param quality 1 to 100 */
export function encodeJpeg(
  { width, height, grey }: { width: number; height: number; grey: Uint8Array },
  quality: number,
): Promise<Buffer> {
  return sharp(grey, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality })
    .toBuffer();
}
