import sharp from 'sharp';
import { encodeImage, type ImageFormat, imageExtensions } from '../src/image/encodeImage.ts';
import type { Pixels } from '../src/model/frame.ts';
import { renderFrame } from '../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../src/streams/cameras/simulated/scene.ts';
import { simulatorOptions } from '../src/streams/cameras/simulated/simulatorOptions.ts';
import type { BenchRow } from './benchRow.ts';

const rounds = 3;
const frames = { '64mp_8bit': 'large', '3mp_16bit': 'microscope' } as const;

/**
 * What writing a frame costs in each `image_format`.
 *
 * - `frames.time.…`: processor time of encoding a frame, over that of sharp's PNG (level 3, no filter).
 * - `frames.bytes.…`: bytes of the file, over those of the pixels.
 */
export async function framesBench(): Promise<BenchRow[]> {
  sharp.cache(false);
  sharp.concurrency(1);
  const rows: BenchRow[] = [];
  for (const [name, preset] of Object.entries(frames)) {
    const { pixels } = renderFrame(createScene(simulatorOptions(preset)), Date.UTC(2025, 6, 24));
    const plain = await leastTime(() => plainPng(pixels));
    for (const format of Object.keys(imageExtensions) as ImageFormat[]) {
      const { ms, bytes } = await leastTime(() => encodeImage(pixels, format));
      rows.push(
        {
          name: `frames.time.${name}.${format}`,
          value: ms,
          unit: 'ms CPU',
          against: `PNG by sharp, ${(plain.bytes / pixels.data.byteLength).toFixed(3)} of the bytes`,
          ratio: ms / plain.ms,
        },
        {
          name: `frames.bytes.${name}.${format}`,
          value: bytes / 1e6,
          unit: 'MB',
          against: 'the pixels',
          ratio: bytes / pixels.data.byteLength,
        },
      );
    }
  }
  return rows;
}

const plainPng = ({ width, height, depth, data }: Pixels): Promise<Buffer> =>
  sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace(depth === 16 ? 'grey16' : 'b-w')
    .png({ compressionLevel: 3, adaptiveFiltering: false })
    .toBuffer();

async function leastTime(work: () => Promise<Uint8Array>): Promise<{ ms: number; bytes: number }> {
  let ms = Number.POSITIVE_INFINITY;
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    const begin = process.cpuUsage();
    bytes = (await work()).length;
    const { user, system } = process.cpuUsage(begin);
    ms = Math.min(ms, (user + system) / 1000);
  }
  return { ms, bytes };
}
