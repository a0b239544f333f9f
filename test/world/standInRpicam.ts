import { expect } from 'vitest';
import type { Answer, StandIn } from './standInTools.ts';

/**
 * The options of rpicam-still, as the source of rpicam-apps has them (`core/options.cpp`, `core/still_options.hpp`): what value each
 * takes. A switch takes none.
 */
const options = {
  help: 'switch',
  version: 'switch',
  'list-cameras': 'switch',
  camera: 'whole',
  verbose: 'whole',
  config: 'text',
  'info-text': 'text',
  width: 'whole',
  height: 'whole',
  timeout: 'time',
  output: 'text',
  'post-process-file': 'text',
  nopreview: 'switch',
  preview: 'text',
  fullscreen: 'switch',
  'qt-preview': 'switch',
  hflip: 'switch',
  vflip: 'switch',
  rotation: 'whole',
  roi: 'text',
  shutter: 'time',
  analoggain: 'number',
  gain: 'number',
  metering: ['centre', 'spot', 'average', 'custom'],
  exposure: ['normal', 'sport'],
  ev: 'number',
  awb: ['auto', 'incandescent', 'tungsten', 'fluorescent', 'indoor', 'daylight', 'cloudy', 'custom'],
  awbgains: 'pair',
  flush: 'switch',
  wrap: 'whole',
  brightness: 'number',
  contrast: 'number',
  saturation: 'number',
  sharpness: 'number',
  framerate: 'number',
  denoise: ['auto', 'off', 'cdn_off', 'cdn_fast', 'cdn_hq'],
  'tuning-file': 'text',
  mode: 'text',
  'buffer-count': 'whole',
  'no-raw': 'switch',
  'autofocus-mode': ['default', 'manual', 'auto', 'continuous'],
  'lens-position': 'text',
  hdr: 'text',
  metadata: 'text',
  'metadata-format': ['json', 'txt'],
  quality: 'whole',
  exif: 'text',
  timelapse: 'time',
  datetime: 'switch',
  timestamp: 'switch',
  thumb: 'text',
  encoding: ['jpg', 'png', 'rgb', 'rgb24', 'rgb48', 'bmp', 'yuv420'],
  raw: 'switch',
  latest: 'text',
  immediate: 'switch',
  zsl: 'switch',
} as const satisfies Record<string, string | readonly string[]>;

type Kind = (typeof options)[keyof typeof options];

const takes: Readonly<Record<string, RegExp>> = {
  whole: /^\d+$/,
  number: /^-?\d+(\.\d+)?$/,
  pair: /^\d+(\.\d+)?,\d+(\.\d+)?$/,
  time: /^\d+(us|ms|s|sec|min)?$/,
  text: /./,
};
const isRight = (kind: Kind, value: string): boolean =>
  typeof kind === 'string' ? takes[kind]!.test(value) : (kind as readonly string[]).includes(value);

export interface RpicamOptions {
  /** What is attached: lines of `--list-cameras`. */
  cameras?: readonly string[];
  /** Options that this version does not know. */
  lacks?: readonly (keyof typeof options)[];
  /** The image, of the size and in the encoding that were asked for. */
  image(size: { width: number; height: number }): Uint8Array;
  /** What `--metadata` writes. */
  metadata?: string;
  /** Told of each frame's options. */
  onFrame?(options: Readonly<Record<string, string>>): void;
}

/** As rpicam-apps 1.5 writes it on a Raspberry Pi 4 with an HQ camera: text and rectangles stand in it as they like. */
export const hqMetadata = `{
    "SensorTimestamp": 1234567890000,
    "ScalerCrop": "(0, 0)/4056x3040",
    "ColourCorrectionMatrix": [ 1.745152, -0.634321, -0.110831 ],
    "FocusFoM": 1523,
    "ExposureTime": 19989,
    "SensorTemperature": 31.000000,
    "AeLocked": true,
    "FrameDuration": 100000,
    "AnalogueGain": 2.000000,
    "SensorBlackLevels": [ 4096, 4096, 4096, 4096 ],
    "DigitalGain": 1.003000,
    "ColourGains": [ 1.000000, 1.000000 ],
    "FrameWallClock": 1764349200123456000,
    "Lux": 512.250000
}`;

export const hqCamera = '0 : imx477 [4056x3040 12-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx477@1a)';

/** A stand-in of `rpicam-still` and its kin: it reads its words as boost::program_options does, and refuses what the tool would. */
export function rpicam({
  cameras = [hqCamera],
  lacks = [],
  image,
  metadata = hqMetadata,
  onFrame,
}: RpicamOptions): StandIn {
  return words => {
    const given: Record<string, string> = {};
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      expect(word, 'each word is an option by its long name').toMatch(/^--[a-z-]+$/);
      const name = word.slice(2) as keyof typeof options;
      const kind = options[name] as Kind | undefined;
      if (kind === undefined || lacks.includes(name)) return failed(`unrecognised option '${word}'`);
      if (kind === 'switch') given[name] = '';
      else {
        const value = words[++i];
        if (value === undefined) return failed(`the required argument for option '${word}' is missing`);
        if (!isRight(kind, value)) return failed(`the argument ('${value}') for option '${word}' is invalid`);
        given[name] = value;
      }
    }
    if ('list-cameras' in given) return { stdout: listing(cameras) };
    if (Number(given.camera ?? 0) >= cameras.length) return failed('no cameras available');
    const { width = '0', height = '0', encoding = 'jpg', output, metadata: metadataFile } = given;
    expect(output, 'the image comes through the pipe').toBe('-');
    if (encoding === 'yuv420' && (Number(width) % 2 || Number(height) % 2))
      return failed('both width and height must be even');
    onFrame?.(given);
    return {
      stdout: image({ width: Number(width), height: Number(height) }),
      image: 'stdout',
      stderr: started,
      ...(metadataFile !== undefined && { files: { [metadataFile]: metadata } }),
    };
  };
}

/** What it says of every frame. */
const started = `[0:12:34.416832871] [1542]  INFO Camera camera_manager.cpp:313 libcamera v0.3.2+27-7330f29b
[0:12:34.446187667] [1545]  INFO RPI vc4.cpp:447 Registered camera /base/soc/i2c0mux/i2c@1/imx477@1a to Unicam device /dev/media3 and ISP device /dev/media1
Preview window unavailable
[0:12:34.447391667] [1542]  INFO Camera camera.cpp:1197 configuring streams: (0) 4056x3040-YUV420/sYCC (1) 4056x3040-SBGGR12_CSI2P
Still capture image received
`;

function listing(cameras: readonly string[]): string {
  if (cameras.length === 0) return 'No cameras available!\n';
  const each = cameras.map(
    line => `${line}\n    Modes: 'SRGGB12_CSI2P' : 4056x3040 [10.00 fps - (0, 0)/4056x3040 crop]\n\n`,
  );
  return `Available cameras\n-----------------\n${each.join('')}`;
}

const failed = (what: string): Answer => ({ stderr: `ERROR: *** ${what} ***\n`, code: 255 });
