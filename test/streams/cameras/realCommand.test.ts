import { spawnSync } from 'node:child_process';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ToolRunner } from '../../../src/files/runTool.ts';
import { systemClock } from '../../../src/model/clock.ts';
import type { CapturedFrame } from '../../../src/model/frame.ts';
import type { FrameSource } from '../../../src/model/frameSource.ts';
import { openCameraSource } from '../../../src/streams/cameras/cameraSource.ts';
import { commandCamera } from '../../../src/streams/cameras/commandCamera.ts';

const settings = { exposure: 0.02, gain: 2, brightness: 0, contrast: 1 };
const never = new AbortController().signal;

function openCommand(command: readonly string[]): FrameSource {
  const tools = new ToolRunner();
  const camera = commandCamera({ command, timeoutMs: 60_000, cameraId: 0 }, tools);
  return openCameraSource(camera, { settings, cameraIndex: 0 }, { tools, clock: systemClock, note: () => undefined });
}

it('a real program gets its words as they are, without a shell', async () => {
  const raw = { width: 40, height: 30, channels: 1 } as const;
  const data = Uint8Array.from({ length: 1200 }, (_, i) => (i * 7) % 251);
  const png = await sharp(data, { raw }).toColourspace('b-w').png().toBuffer();
  const script = `process.stdout.write(Buffer.from('${png.toString('base64')}', 'base64'));
    process.exitCode = process.argv[1] === 'a b; touch c' ? 0 : 4;`;
  const source = openCommand([process.execPath, '-e', script, 'a b; touch c']);
  expect(((await source.next(never)) as CapturedFrame).pixels.data).toEqual(data);
});

describe.skipIf(spawnSync('ffmpeg', ['-version']).error !== undefined)('ffmpeg with its test source', () => {
  const source = (format: string): string[] =>
    ['ffmpeg', '-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x240', '-frames:v', '1'].concat(
      format === 'file'
        ? ['-pix_fmt', 'gray', '{output}.png']
        : ['-pix_fmt', format, '-f', 'image2pipe', '-c:v', 'png', '-'],
    );

  it.each(['gray', 'gray16be', 'rgb24', 'file'])('gives a frame (%s)', async format => {
    const { pixels } = (await openCommand(source(format)).next(never)) as CapturedFrame;
    expect([pixels.width, pixels.height, pixels.depth]).toEqual([320, 240, format === 'gray16be' ? 16 : 8]);
    expect(new Set(pixels.data).size).toBeGreaterThan(50);
  });

  it('says what it does not know', async () => {
    const words = [
      'ffmpeg',
      '-loglevel',
      'error',
      '-f',
      'lavfi',
      '-i',
      'nosource',
      '-frames:v',
      '1',
      '-f',
      'image2pipe',
      '-',
    ];
    await expect(openCommand(words).next(never)).rejects.toThrow(/nosource/);
  });
});
