import type { Pixels } from '../model/frame.ts';

export type ImageTransform =
  | 'NONE'
  | 'HORIZONTAL_FLIP'
  | 'VERTICAL_FLIP'
  | 'ROTATE_90_CLOCKWISE'
  | 'ROTATE_90_COUNTERCLOCKWISE'
  | 'ROTATE_180';

/** For each transform, where the pixel at (x, y) of the new frame is in the old one of `w` × `h`; and whether sides swap. */
const sources: Record<
  Exclude<ImageTransform, 'NONE'>,
  { swaps: boolean; from: (x: number, y: number, w: number, h: number) => number }
> = {
  HORIZONTAL_FLIP: { swaps: false, from: (x, y, w) => y * w + (w - 1 - x) },
  VERTICAL_FLIP: { swaps: false, from: (x, y, w, h) => (h - 1 - y) * w + x },
  ROTATE_90_CLOCKWISE: { swaps: true, from: (x, y, w, h) => (h - 1 - x) * w + y },
  ROTATE_90_COUNTERCLOCKWISE: { swaps: true, from: (x, y, w) => x * w + (w - 1 - y) },
  ROTATE_180: { swaps: false, from: (x, y, w, h) => (h - 1 - y) * w + (w - 1 - x) },
};

/** The frame as `camera_transform` wants it, before it is written. The given frame is not changed. */
export function transformPixels(frame: Pixels, transform: ImageTransform): Pixels {
  if (transform === 'NONE') return frame;
  const { swaps, from } = sources[transform];
  const { width: w, height: h, depth, data: old } = frame;
  const width = swaps ? h : w;
  const height = swaps ? w : h;
  const data = old instanceof Uint16Array ? new Uint16Array(old.length) : new Uint8Array(old.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) data[i] = old[from(x, y, w, h)]!;
  }
  return { width, height, depth, data };
}

/** The middle of a frame, at most of this size, pixel by pixel. */
export function cutCentre(frame: Pixels, size: { width: number; height: number }): Pixels {
  const width = Math.min(size.width, frame.width);
  const height = Math.min(size.height, frame.height);
  const left = (frame.width - width) >> 1;
  const top = (frame.height - height) >> 1;
  const data = frame.data instanceof Uint16Array ? new Uint16Array(width * height) : new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * frame.width + left;
    data.set(frame.data.subarray(start, start + width), y * width);
  }
  return { width, height, depth: frame.depth, data };
}
