import type { Config } from '../../../config/schema.ts';

/** The programs of the Raspberry Pi that stream, the best first. */
export const videoPrograms = ['rpicam-vid', 'libcamera-vid'] as const;

/** What the H.264 encoder of a Raspberry Pi takes. */
const size = { width: 1920, height: 1080, rate: 30 };

/**
 * Words for a program that streams H.264 to a port of this machine, with exposure, gain, brightness and contrast of the configuration.
 * @param index of the camera in the program's own list
 */
export function videoWords(
  { camera_exposure: exposure, camera_gain, camera_brightness, camera_contrast }: Config['Camera'],
  index: number,
  port: number,
): string[] {
  const words = {
    camera: index,
    timeout: 0,
    codec: 'h264',
    width: size.width,
    height: size.height,
    framerate: Number(Math.min(size.rate, 1 / exposure).toPrecision(3)),
    shutter: Math.round(exposure * 1e6),
    gain: camera_gain,
    brightness: camera_brightness,
    contrast: camera_contrast,
    awbgains: '1,1',
    output: `tcp://127.0.0.1:${port}`,
  };
  // Each whole picture says how it is coded, so that a player may begin there.
  return [
    '--nopreview',
    '--inline',
    '--flush',
    ...Object.entries(words).flatMap(([key, value]) => [`--${key}`, String(value)]),
  ];
}
