import { BadImageError } from '../../image/badImageError.ts';
import { decodeFrame } from '../../image/decodeFrame.ts';
import { decodeRaw, type RawShape } from '../../image/rawFrame.ts';
import type { Pixels } from '../../model/frame.ts';

/** What a program writes to its standard output, frame after frame. */
export interface WrittenFrames {
  width: number;
  height: number;
  /** How raw frames lie, how long each of them may be, bytes, and how many there are at least; null: each is an image file (JPEG, PNG). */
  raw: { shape: RawShape; bytes: readonly number[]; count: number } | null;
}

/** The last frame of an output, or what is wrong with it: nothing but whole frames counts. */
export async function lastFrame(output: Uint8Array, { width, height, raw }: WrittenFrames): Promise<Pixels | string> {
  if (output.length === 0) return 'it wrote no frame';
  if (raw !== null) {
    const size = raw.bytes.find(bytes => bytes > 0 && output.length % bytes === 0);
    if (size === undefined || output.length < raw.count * size) {
      return `it wrote ${output.length} bytes, ${raw.count === 1 ? 'a frame has' : `${raw.count} frames have`} ${raw.count * raw.bytes[0]!}`;
    }
    return decodeRaw(output.subarray(output.length - size), raw.shape);
  }
  try {
    const pixels = await decodeFrame(lastImage(output), 'its frame');
    if (pixels.width === width && pixels.height === height) return pixels;
    return `its frame has ${pixels.width} × ${pixels.height} pixels, ${width} × ${height} were asked for`;
  } catch (error) {
    if (error instanceof BadImageError) return error.message;
    throw error;
  }
}

const jpegBegin = Buffer.from([0xff, 0xd8, 0xff]);
const jpegEnd = Buffer.from([0xff, 0xd9]);

/** The last of several JPEG files one behind the other; anything else as it is. @throws BadImageError for one that is cut off */
function lastImage(output: Uint8Array): Uint8Array {
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  if (!bytes.subarray(0, 3).equals(jpegBegin)) return bytes;
  const whole = withoutZeros(bytes);
  if (!whole.subarray(-2).equals(jpegEnd)) throw new BadImageError('its frame', 'a JPEG that is cut off');
  // A small picture within a JPEG begins as one too, but not behind the end of another.
  for (let at = whole.lastIndexOf(jpegBegin); at > 0; at = whole.lastIndexOf(jpegBegin, at - 1)) {
    if (withoutZeros(whole.subarray(0, at)).subarray(-2).equals(jpegEnd)) return whole.subarray(at);
  }
  return whole;
}

/** Cameras fill up their buffers. */
function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}
