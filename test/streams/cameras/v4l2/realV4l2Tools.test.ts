import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ToolRunner } from '../../../../src/files/runTool.ts';
import { decodeFrame } from '../../../../src/image/decodeFrame.ts';
import { frameError } from '../../../../src/streams/cameras/cameraFaults.ts';
import { lastFrame } from '../../../../src/streams/cameras/framesInOutput.ts';
import { ffmpegWords, writtenFrames } from '../../../../src/streams/cameras/v4l2/v4l2Camera.ts';
import { type FrameFormat, frameFormats } from '../../../../src/streams/cameras/v4l2/v4l2Formats.ts';

const tools = new ToolRunner();
const [v4l2Ctl, ffmpeg] = await Promise.all([tools.find('v4l2-ctl'), tools.find('ffmpeg')]);
const run = (words: readonly string[]) =>
  tools.run(words, { signal: new AbortController().signal, timeoutMs: 60_000, device: 'test' });
const nowhere = '/dev/video997';

describe.skipIf(v4l2Ctl === null)('the v4l2-ctl of this machine', () => {
  it('says of a device that is not there what the table of faults knows', async () => {
    const output = await run(['v4l2-ctl', `--device=${nowhere}`, '--list-ctrls-menus']);
    expect(output.stderr).toBe(`Cannot open device ${nowhere}, exiting.\n`);
    expect(frameError({ camera: 'camera 0', program: 'v4l2-ctl' }, output)).toMatchObject({ code: 'camera_gone' });
  });

  it.each([
    ['list-ctrls-menus', 'list-formats-ext', 'set-fmt-video', 'get-fmt-video', 'set-ctrl', 'get-ctrl', 'device'],
    ['stream-mmap', 'stream-skip', 'stream-count', 'stream-to'],
  ])('knows the options that it is given: %s, …', async (...options) => {
    const { stdout } = await run(['v4l2-ctl', '--help-all']);
    for (const option of options) expect(stdout.toString()).toMatch(new RegExp(`--${option}[ =\\n]`));
  });
});

describe.skipIf(ffmpeg === null)('the ffmpeg of this machine', () => {
  const [width, height, count] = [50, 38, 6];
  const scene = `testsrc2=size=${width}x${height}:rate=5`;
  const lavfi = (filters: string) => ['-f', 'lavfi', '-i', `${scene},${filters}`];
  const formatOf = (name: string): FrameFormat => frameFormats.find(({ ffmpeg }) => ffmpeg === name)!;
  const decoded = async (name: string, input: readonly string[]) => {
    const output = await run(['ffmpeg', ...ffmpegWords(input, count)]);
    expect(output).toMatchObject({ code: 0, stderr: '' });
    const given = { width, height, bytesPerLine: 0, sizeImage: 0 };
    return lastFrame(output.stdout, writtenFrames(formatOf(name), given, count));
  };
  /** The sixth frame as a PNG, which ffmpeg makes by itself. */
  const reference = async (filters: string) => {
    const last = `select=eq(n\\,${count - 1}),${filters}`;
    const words = [
      '-hide_banner',
      '-nostdin',
      '-loglevel',
      'error',
      ...lavfi(last),
      '-frames:v',
      '1',
      '-f',
      'image2pipe',
    ];
    return decodeFrame((await run(['ffmpeg', ...words, '-c:v', 'png', 'pipe:1'])).stdout, 'reference');
  };

  it('says of a device that is not there that it is not', async () => {
    const output = await run(['ffmpeg', ...ffmpegWords(['-f', 'v4l2', '-i', nowhere], 1)]);
    expect(frameError({ camera: 'camera 0', program: 'ffmpeg' }, output)).toMatchObject({ code: 'camera_gone' });
  });

  it.each([
    ['yuyv422', 'format=yuv422p,format=yuyv422', 'format=yuv422p,extractplanes=y'],
    ['yuv420p', 'format=yuv420p', 'format=yuv420p,extractplanes=y'],
    ['gray16le', 'format=gray16le', 'format=gray16le,format=gray16be'],
    ['bgr24', 'format=bgr24', 'format=rgb24'],
  ])('gives frames as %s, of which the last is decoded bit for bit', async (name, filters, same) => {
    expect(await decoded(name, lavfi(filters))).toEqual(await reference(same));
  });

  it('gives JPEG one behind the other, of which the last is decoded', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jpeg-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [film, each] = [join(folder, 'film.avi'), join(folder, '%d.jpg')];
    const quiet = ['ffmpeg', '-hide_banner', '-nostdin', '-loglevel', 'error'];
    await run([...quiet, ...lavfi('format=yuvj422p'), '-t', '2', '-c:v', 'mjpeg', film]);
    await run([...quiet, '-i', film, '-frames:v', String(count), '-c:v', 'copy', each]);
    const last = await decodeFrame(readFileSync(join(folder, `${count}.jpg`)), 'reference');
    expect(await decoded('mjpeg', ['-i', film])).toEqual(last);
  });
});
