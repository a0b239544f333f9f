import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { ToolRunner } from '../../../src/files/runTool.ts';
import { BadImageError } from '../../../src/image/badImageError.ts';
import { systemClock } from '../../../src/model/clock.ts';
import type { CapturedFrame, Pixels } from '../../../src/model/frame.ts';
import type { FrameSource } from '../../../src/model/frameSource.ts';
import { openCameraSource } from '../../../src/streams/cameras/cameraSource.ts';
import { commandCamera } from '../../../src/streams/cameras/commandCamera.ts';
import { type StandIn, standInTools } from '../../world/standInTools.ts';
import { type CameraCase, cameraContract } from './cameraContract.ts';

const pixels: Pixels = {
  width: 40,
  height: 30,
  depth: 8,
  data: Uint8Array.from({ length: 1200 }, (_, i) => (i * 7) % 251),
};
const settings = { exposure: 0.02, gain: 2, brightness: 0, contrast: 1 };
const never = new AbortController().signal;

const png = (): Promise<Buffer> =>
  sharp(pixels.data, { raw: { width: 40, height: 30, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();

function openCommand(command: readonly string[], tools: ToolRunner, timeoutMs = 5_000): FrameSource {
  const camera = commandCamera({ command, timeoutMs, cameraId: 0 }, tools);
  return openCameraSource(camera, { settings, cameraIndex: 0 }, { tools, clock: systemClock, note: () => undefined });
}

const dead: CameraCase['dead'] = {
  answer: { stderr: '*** Error: No camera found. ***\n' },
  says: /No camera found/,
};

cameraContract('command, by standard output', async () => {
  const image = await png();
  return {
    open: (tools, { timeoutMs }) => openCommand(['grab', '--exposure', '{exposure}'], tools, timeoutMs),
    programs: {
      grab: words => {
        expect(words).toEqual(['--exposure', '0.02']);
        return { stdout: image, image: 'stdout' };
      },
    },
    pixels,
    dead,
  };
});

const fileOf = (words: readonly string[]): string => words.at(-1)!;

cameraContract('command, by a file', async () => {
  const image = await png();
  const grab: StandIn = words => ({ files: { [fileOf(words)]: image }, image: { file: fileOf(words) } });
  return {
    open: (tools, { timeoutMs }) => openCommand(['grab', '--to', '{output}.png'], tools, timeoutMs),
    programs: { grab },
    pixels,
    dead,
  };
});

describe('a program that takes the frames', () => {
  it('says what it said and its exit code when it fails', async () => {
    const { tools } = standInTools({ grab: () => ({ stderr: 'lens cap on\n', code: 3 }) });
    await expect(openCommand(['grab'], tools).next(never)).rejects.toThrow(
      /grab: it ended with 3; it said "lens cap on"/,
    );
  });

  it('says where no image was written', async () => {
    const { tools } = standInTools({ grab: () => ({}) });
    await expect(openCommand(['grab', '{output}'], tools).next(never)).rejects.toThrow(/no image to {output}/);
    await expect(openCommand(['grab'], tools).next(never)).rejects.toThrow(/no image to its standard output/);
  });

  it('reads the file whatever ending its program gives it', async () => {
    const image = await png();
    const { tools } = standInTools({ grab: words => ({ files: { [`${words[0]}.0001.png`]: image } }) });
    const frame = (await openCommand(['grab', '{output}'], tools).next(never)) as CapturedFrame;
    expect(frame.pixels).toEqual(pixels);
  });
});

it('a torn image is the error of a frame, not of the program', async () => {
  const image = await png();
  const { tools } = standInTools({ grab: () => ({ stdout: image.subarray(0, 60) }) });
  const error = (await openCommand(['grab'], tools)
    .next(never)
    .catch((each: unknown) => each)) as Error;
  expect(error).not.toBeInstanceOf(BadImageError);
  expect(error).toMatchObject({ name: 'CameraError', code: 'frame_torn', answer: 'retry' });
});
