import { nearest } from './nearest.ts';
import type { Config } from './schema.ts';

type Section = 'Camera' | 'Brightfield';
type Numbers = Pick<Config['Camera'], 'camera_exposure' | 'camera_gain' | 'camera_brightness' | 'camera_contrast'>;

/** One setting that the camera can't take, or that is hardly meant. */
export interface CameraProblem {
  section: Section;
  key: keyof Config['Camera'];
  isImpossible: boolean;
  message: string;
}

interface Limits {
  min: number;
  max: number;
  /** How a message says it. */
  allowed: string;
}

/** What `rpicam-still` takes. It bends what is outside without a word: a brightness of 128 is a white frame. */
const libcameraLimits: Readonly<Record<keyof Numbers, Limits>> = {
  camera_exposure: { min: 1e-6, max: 1_000, allowed: 'in seconds and greater than 0, such as 0.02' },
  camera_gain: { min: 1, max: 1_000, allowed: '1 or more, a factor' },
  camera_brightness: { min: -1, max: 1, allowed: 'from -1 to 1, and 0 changes nothing' },
  camera_contrast: { min: 0, max: 15.99, allowed: 'from 0 to 15.99, and 1 changes nothing' },
};
const notBelow0 = { min: 0, max: Number.POSITIVE_INFINITY, allowed: '0 or more' };
/** Of a camera that counts in its own unit, no time is below 0. Programs and pipelines may mean something else by it. */
const ownUnit = { camera_exposure: notBelow0, camera_gain: notBelow0 };
type CameraLimits = Readonly<Partial<Record<keyof Numbers, Limits>>>;
const limits: Partial<Record<Config['Camera']['camera_type'], CameraLimits>> = {
  simulated: ownUnit,
  logitech: { camera_exposure: notBelow0 },
  argus: { camera_exposure: notBelow0 },
  tis: { camera_exposure: notBelow0 },
  libcamera: libcameraLimits,
  hawkeye: libcameraLimits,
};
/** Longer exposures are asked about, seconds: the same number is 3 ms for a USB camera. */
const longExposure = 30;

/**
 * Numbers of one kind of camera that stand with another: exposure, gain, brightness and contrast are in the unit of the camera's own
 * tool, so that only together with `camera_type` it is known what they may be. A camera that is off may have any.
 */
export function cameraProblems({ Camera, Brightfield, Services, Timing }: Config): CameraProblem[] {
  const { camera_type: type } = Camera;
  if (!Services.enable_camera) return [];
  if (type === 'command' || type === 'gstreamer') return [...absentWords(type, Camera), ...misspeltMarks(type, Camera)];
  if (!limits[type]) return [];
  const used = Services.enable_brightfield ? ({ Camera, Brightfield } as const) : ({ Camera } as const);
  const usbDoubt = usbCameras.includes(type) ? usbExposureDoubt({ Camera, Timing }) : [];
  const problems = Object.entries(used).flatMap(([name, numbers]) => {
    const section = name as Section;
    const impossible = impossibleNumbers(type, numbers, section);
    if (limits[type] !== libcameraLimits) return impossible;
    const doubt = exposureDoubt(numbers.camera_exposure, Timing.collector_interval_seconds);
    const message = `${section}.camera_exposure is ${numbers.camera_exposure} seconds${doubt}`;
    return [
      ...impossible,
      ...(doubt === null ? [] : [{ section, key: 'camera_exposure' as const, isImpossible: false, message }]),
    ];
  });
  return [...problems, ...usbDoubt];
}

/** Where the words of such a camera stand, and an example of them. */
const wordsOf = {
  command: {
    key: 'camera_command',
    example: '["gphoto2", "--capture-image-and-download", "--filename", "{output}.jpg"]',
  },
  gstreamer: { key: 'camera_pipeline', example: '["v4l2src", "device=/dev/video0"]' },
} as const;
const numberMarks = ['exposure', 'gain', 'brightness', 'contrast'];
const marksOf = { command: ['output', ...numberMarks], gstreamer: numberMarks };

/** A camera that is nothing but its words, and has none. */
export function absentWords(type: Config['Camera']['camera_type'], camera: Config['Camera']): CameraProblem[] {
  if (type !== 'command' && type !== 'gstreamer') return [];
  const { key, example } = wordsOf[type];
  if (camera[key].length > 0) return [];
  const message = `Camera.${key} is empty: camera_type = "${type}" needs one, such as ${example}`;
  return [{ section: 'Camera', key, isImpossible: true, message }];
}

/** `{outptu}`: nothing is put in its place, and the program gets it as it is. */
function misspeltMarks(type: keyof typeof wordsOf, camera: Config['Camera']): CameraProblem[] {
  const { key } = wordsOf[type];
  const marks = marksOf[type];
  const words = new Set(camera[key].flatMap(word => [...word.matchAll(/\{(\w+)\}/g)].map(([, mark = '']) => mark)));
  return [...words].flatMap(mark => {
    const near = marks.includes(mark) ? null : nearest(mark.toLowerCase(), marks);
    const message = `Camera.${key}: nothing is put in place of {${mark}}; did you mean {${near}}?`;
    return near === null ? [] : [{ section: 'Camera' as const, key, isImpossible: false, message }];
  });
}

const usbCameras: readonly string[] = ['logitech', 'argus'];
/** What they count exposures in, seconds. */
const usbExposureUnit = 1e-4;

/** A USB camera gives frames that are thrown away before the one that counts, each with its exposure. */
function usbExposureDoubt({ Camera, Timing }: Pick<Config, 'Camera' | 'Timing'>): CameraProblem[] {
  const { camera_exposure: exposure, camera_discard_frames: discarded } = Camera;
  const { collector_interval_seconds: interval } = Timing;
  const each = exposure * usbExposureUnit;
  const all = each * (discarded + 1);
  if (all < interval) return [];
  const seconds = (value: number): string => `${Number(value.toPrecision(3))} s`;
  const message = `Camera.camera_exposure is ${exposure}, which is ${seconds(each)} for this kind of camera (it counts in 0.0001 s); ${discarded + 1} frames of it (camera_discard_frames is ${discarded}) take ${seconds(all)}, and one is due every ${interval} s (Timing.collector_interval_seconds): frames will be missed`;
  return [{ section: 'Camera', key: 'camera_exposure', isImpossible: false, message }];
}

/** Those that the camera can't take. */
export function impossibleNumbers(
  type: Config['Camera']['camera_type'],
  numbers: Numbers,
  section: Section = 'Camera',
): CameraProblem[] {
  return Object.entries(limits[type] ?? {}).flatMap(([name, { min, max, allowed }]) => {
    const key = name as keyof Numbers;
    const value = numbers[key];
    if (value >= min && value <= max) return [];
    const message = `${section}.${key} is ${value}; for camera_type = "${type}" it must be ${allowed}`;
    return [{ section, key, isImpossible: true, message }];
  });
}

/** Why an exposure in seconds is hardly meant, as the rest of a sentence; null: it may be. */
function exposureDoubt(exposure: number, interval: number): string | null {
  if (exposure > libcameraLimits.camera_exposure.max) return null;
  const usb =
    exposure < longExposure
      ? ''
      : `; a USB camera counts in 0.0001 s, and this one in seconds: write ${exposure / 1e4} if that was meant`;
  if (exposure >= interval)
    return `, and a frame is due every ${interval} seconds (Timing.collector_interval_seconds): frames will be missed${usb}`;
  return usb === '' ? null : usb;
}
