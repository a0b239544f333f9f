import type { LibCamera } from 'node-libcamera/dist/LibCamera.js';
import type { CaptureSettings } from '../camera.ts';

/** What the option names of node-libcamera lack: they are those of 2022. */
interface NewerOptions {
  camera: number;
  immediate: boolean;
  metadata: string;
}

/** Options of `rpicam-still`, by the names and types that node-libcamera has for them. */
export type StillOptions = Partial<LibCamera.StillOptionsObject & NewerOptions>;

export const encodings = ['yuv420', 'jpg', 'png'] as const;
export type Encoding = (typeof encodings)[number];

export interface FrameOptions {
  /** By `rpicam-still`; the smaller `rpicam-jpeg` previews for a moment, and writes JPEG. */
  isStill: boolean;
  /** Index in the tool's own list. */
  camera: number;
  width: number;
  height: number;
  encoding: Encoding;
  jpegQuality: number;
  flip: Flip;
  /** Where the tool writes what it knows of the frame; null: nowhere. */
  metadataFile: string | null;
}

/** Turned by the sensor, which costs nothing. */
export type Flip = 'NONE' | 'HORIZONTAL_FLIP' | 'VERTICAL_FLIP' | 'ROTATE_180';

/**
 * How one frame is taken: nothing in it depends on the frames before. Exposure, gains and white balance are fixed, so that the tool
 * takes the first frame and does not search for values. Nothing smooths or sharpens.
 */
export function stillOptions(
  { exposure, gain, brightness, contrast }: CaptureSettings,
  { isStill, camera, width, height, encoding, jpegQuality, flip, metadataFile }: FrameOptions,
): StillOptions {
  return {
    camera,
    nopreview: true,
    ...(isStill && { immediate: true }),
    timeout: 1,
    shutter: Math.round(exposure * 1e6),
    gain,
    awbgains: [1, 1],
    denoise: 'off',
    sharpness: 0,
    brightness,
    contrast,
    width,
    height,
    ...((flip === 'VERTICAL_FLIP' || flip === 'ROTATE_180') && { vflip: true }),
    ...((flip === 'HORIZONTAL_FLIP' || flip === 'ROTATE_180') && { hflip: true }),
    ...(isStill && { encoding }),
    ...(encoding === 'jpg' && { quality: jpegQuality }),
    ...(metadataFile !== null && { metadata: metadataFile }),
    output: '-',
  };
}

/**
 * Options as words for the tool. As node-libcamera converts them, which gives its words to a shell; a switch that is off has no word here.
 */
export function optionWords(options: StillOptions): string[] {
  return Object.entries(options).flatMap(([key, value]) => {
    if (value === undefined || value === null || value === false) return [];
    if (value === true) return [`--${key}`];
    return [`--${key}`, Array.isArray(value) ? value.join(',') : String(value)];
  });
}
