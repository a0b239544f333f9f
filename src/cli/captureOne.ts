import { existsSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { encodePng } from '../image/encodeImage.ts';
import { encodeJpeg, toEightBits } from '../image/encodeJpeg.ts';
import { type MeasuredFrame, measureFrame } from '../image/measureFrame.ts';
import { diskOf } from '../streams/disk/experimentDisk.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { frameWords, metadataWords } from './frameWords.ts';
import type { LoadedConfig } from './loadConfig.ts';
import { ownCamera, untilSignal } from './ownCamera.ts';

export interface CaptureOptions {
  out?: string;
  continuous?: true;
  /** Seconds; default 0.5. */
  interval?: number;
  /** False: `--no-picture`. */
  picture: boolean;
  expose?: true;
  dark?: true;
  /** Per cent; default 85. */
  target?: number;
  maxExposure?: number;
  write?: true;
}

/** Of JPEG files, which are for looking at. As in the Python system. */
const jpegQuality = 93;

/** One frame into a file. */
export async function captureOne(context: CommandContext, { out }: CaptureOptions): Promise<number> {
  const { output, cwd } = context;
  const given = out === undefined ? null : resolve(cwd, out);
  if (given !== null) refuseFile(given);
  const camera = await ownCamera(context);
  if (given === null) await refuseWithoutDisk(camera);
  return untilSignal(async signal => {
    const source = await camera.open(signal);
    try {
      const frame = await source.next(signal);
      if (!frame) throw new Error('the camera gave no frame');
      const measured = await measureFrame(await camera.pixels(frame), signal);
      const stamp = frame.taken.local.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
      const path = given ?? freePath(join(camera.paths.continuousCapture, `capture_${stamp}`), '.png');
      await makeFolder(nodeFiles, dirname(path));
      await writeAtomic(nodeFiles, path, await encoded(measured, path));
      output.line(path);
      output.line(frameWords(measured));
      const said = frame.kind === 'captured' ? metadataWords(frame.metadata) : '';
      if (said !== '') output.line(`the camera says: ${said}`);
      return exitCodes.done;
    } finally {
      await source.close();
    }
  });
}

/** A frame for people to look at, whole. */
export function asJpeg({ pixels, fullScale }: MeasuredFrame): Promise<Buffer> {
  return encodeJpeg({ ...pixels, grey: toEightBits(pixels, fullScale) }, jpegQuality);
}

/** A folder on a disk that is not there is not written to in the place where that belongs. @throws ExitError `failed` */
export async function refuseWithoutDisk({ config, paths }: Pick<LoadedConfig, 'config' | 'paths'>): Promise<void> {
  const missing = await diskOf(config, paths)?.check();
  if (missing) throw new ExitError(exitCodes.failed, missing);
}

const isJpeg = (path: string): boolean => /^\.jpe?g$/i.test(extname(path));

function encoded(measured: MeasuredFrame, path: string): Promise<Buffer> {
  return isJpeg(path) ? asJpeg(measured) : encodePng(measured.pixels);
}

function refuseFile(path: string): void {
  if (!isJpeg(path) && extname(path).toLowerCase() !== '.png')
    throw new ExitError(
      exitCodes.usage,
      `--out ${path}: the name of a frame ends with .png (every bit is kept) or .jpg`,
    );
  if (existsSync(path))
    throw new ExitError(exitCodes.usage, `--out ${path}: there is such a file; choose another name`);
}

function freePath(begin: string, end: string): string {
  for (let number = 1; ; number++) {
    const path = `${begin}${number === 1 ? '' : `_${number}`}${end}`;
    if (!existsSync(path)) return path;
  }
}
