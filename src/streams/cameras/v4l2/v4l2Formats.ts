import type { RawFormat } from '../../../image/rawFrame.ts';
import { hasSize, type V4l2Format } from './v4l2Listings.ts';

export interface FrameFormat {
  fourcc: string;
  /** What `ffmpeg` calls it. */
  ffmpeg: string;
  /** Absent: each frame is a JPEG. */
  raw?: RawFormat;
}

/** Pixel formats that are read, the best for a measurement first: deep gray, gray, luma as it is, colour, and JPEG, which loses something. */
export const frameFormats: readonly FrameFormat[] = [
  { fourcc: 'Y16 ', ffmpeg: 'gray16le', raw: 'GRAY16_LE' },
  { fourcc: 'Y16 -BE', ffmpeg: 'gray16be', raw: 'GRAY16_BE' },
  { fourcc: 'Y14 ', ffmpeg: 'gray14le', raw: 'GRAY16_LE' },
  { fourcc: 'Y12 ', ffmpeg: 'gray12le', raw: 'GRAY16_LE' },
  { fourcc: 'Y10 ', ffmpeg: 'gray10le', raw: 'GRAY16_LE' },
  { fourcc: 'GREY', ffmpeg: 'gray', raw: 'GRAY8' },
  { fourcc: 'YUYV', ffmpeg: 'yuyv422', raw: 'YUY2' },
  { fourcc: 'UYVY', ffmpeg: 'uyvy422', raw: 'UYVY' },
  { fourcc: 'YVYU', ffmpeg: 'yvyu422', raw: 'YVYU' },
  { fourcc: 'NV12', ffmpeg: 'nv12', raw: 'NV12' },
  { fourcc: 'NV21', ffmpeg: 'nv21', raw: 'NV21' },
  { fourcc: 'YU12', ffmpeg: 'yuv420p', raw: 'I420' },
  { fourcc: 'YV12', ffmpeg: 'yuv420p', raw: 'YV12' },
  { fourcc: 'RGB3', ffmpeg: 'rgb24', raw: 'RGB' },
  { fourcc: 'BGR3', ffmpeg: 'bgr24', raw: 'BGR' },
  { fourcc: 'XR24', ffmpeg: 'bgr0', raw: 'BGRx' },
  { fourcc: 'BGR4', ffmpeg: 'bgr0', raw: 'BGRx' },
  { fourcc: 'MJPG', ffmpeg: 'mjpeg' },
  { fourcc: 'JPEG', ffmpeg: 'mjpeg' },
];

export interface WantedFormat {
  width: number;
  height: number;
  /** Four letters; empty: the best. */
  pixelFormat: string;
}

/** The format for frames of this size. @throws Error that says what the camera has instead */
export function chooseFormat(listed: readonly V4l2Format[], { width, height, pixelFormat }: WantedFormat): FrameFormat {
  const wanted = pixelFormat.trim().toUpperCase();
  const named = frameFormats.filter(({ fourcc }) => wanted === '' || fourcc.trim() === wanted);
  const has = ({ fourcc }: FrameFormat): boolean =>
    listed.some(format => format.fourcc === fourcc && hasSize(format, { width, height }));
  const found = named.find(has);
  if (found) return found;
  if (listed.length === 0) {
    const other = 'set Camera.camera_id to that for frames, the one whose name ends with "index0"';
    throw new Error(`this device gives no frames; many cameras have one for frames and one for metadata: ${other}`);
  }
  const what = `frames of ${width} × ${height}${wanted === '' ? '' : ` as ${wanted}`}`;
  const there = listed.map(formatText).join('; ');
  throw new Error(
    `the camera has no ${what}: it has ${there}; set Camera.camera_width, camera_height and camera_pixel_format`,
  );
}

function formatText({ fourcc, sizes, ranges }: V4l2Format): string {
  const isRead = frameFormats.some(format => format.fourcc === fourcc);
  const all = [
    ...sizes.map(({ width, height }) => `${width} × ${height}`),
    ...ranges.map(({ min, max }) => `${min.width} × ${min.height} to ${max.width} × ${max.height}`),
  ];
  return `${fourcc.trim()}${isRead ? '' : ' (which is not read)'}${all.length === 0 ? '' : ` of ${all.join(', ')}`}`;
}

/** `ffmpeg -list_formats all`, from its standard error. */
export function parseFfmpegFormats(text: string): V4l2Format[] {
  const formats: V4l2Format[] = [];
  for (const [, name, sizes] of text.matchAll(/\] (?:Raw|Compressed)\s*:\s*(\S+) :[^\n]* :([^\n]*)/g)) {
    const format = frameFormats.find(({ ffmpeg }) => ffmpeg === name);
    if (!format) continue;
    const each = [...sizes!.matchAll(/(\d+)x(\d+)/g)].map(([, w, h]) => ({ width: Number(w), height: Number(h) }));
    const range = /\{(\d+)-(\d+), (\d+)\}x\{(\d+)-(\d+), (\d+)\}/.exec(sizes!)?.slice(1).map(Number);
    const [w0, w1, dw, h0, h1, dh] = range ?? [];
    const ranges = range
      ? [{ min: { width: w0!, height: h0! }, max: { width: w1!, height: h1! }, step: { width: dw!, height: dh! } }]
      : [];
    formats.push({ fourcc: format.fourcc, sizes: each, ranges });
  }
  return formats;
}
