import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/configError.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { catalogue } from '../../src/config/schema.ts';

const keys = catalogue
  .filter(({ name }) => name === 'Camera' || name === 'Brightfield')
  .flatMap(({ name, settings }) => settings.map(({ key }) => [name, key] as const));

const errorOf = (text: string): ConfigError => {
  try {
    parseConfig(text, 'c.toml');
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`it was accepted: ${text}`);
};

describe('a value that a shell would run', () => {
  const forShell = ['$(touch pwned)', '`touch pwned`', ['$', '{PATH}'].join('')];
  const inOneWord = [
    ...forShell,
    'a; touch pwned',
    'a && touch pwned',
    'a | tee pwned',
    '> pwned',
    '--output=pwned',
    'a\nb',
  ];

  it.each(keys)('is no value of %s.%s, neither alone nor in a list', (section, key) => {
    for (const value of inOneWord) {
      const { problems } = errorOf(`[${section}]\n${key} = ${JSON.stringify(value)}`);
      expect(problems[0]!.message).toMatch(`${section}.${key} is`);
    }
    for (const value of forShell) errorOf(`[${section}]\n${key} = ["a", ${JSON.stringify(value)}]`);
  });
});

describe('the name of a device', () => {
  it.each([
    '/dev/video0',
    '/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_3A5B2C1F-video-index0',
    '/dev/v4l/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.3:1.0-video-index0',
    '/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a',
    '12345678',
    'USB2.0 PC CAMERA (046d:0825)',
    'Kamera für das Mikroskop #2',
  ])('may be %s', name => {
    const { config } = parseConfig(`[Camera]\ncamera_id = ${JSON.stringify(name)}`, 'c.toml');
    expect(config.Camera.camera_id).toBe(name);
  });
});

describe('numbers of another kind of camera', () => {
  const warningsOf = (lines: string, others = ''): string[] =>
    parseConfig(`[Camera]\n${lines}\n[Services]\nenable_camera = true\n${others}`, 'c.toml').warnings.map(
      ({ kind, line, message }) => `${kind} ${line}: ${message}`,
    );
  const right = 'camera_exposure = 0.02\ncamera_gain = 2\ncamera_brightness = 0\ncamera_contrast = 1\n';

  it('are told with the line and what to write, each', () => {
    expect(warningsOf('camera_type = "libcamera"\ncamera_exposure = 0.02\ncamera_brightness = 128')).toEqual([
      'impossible 2: Camera.camera_contrast is 32; for camera_type = "libcamera" it must be from 0 to 15.99, and 1 changes nothing (the file leaves it out: write it)',
      'impossible 4: Camera.camera_brightness is 128; for camera_type = "libcamera" it must be from -1 to 1, and 0 changes nothing',
    ]);
  });

  it('are right for the camera that they are of', () => {
    expect(warningsOf(`camera_type = "libcamera"\n${right}`)).toEqual([]);
    expect(warningsOf('camera_type = "simulated"')).toEqual([]);
  });

  it.each(['simulated', 'dummy', 'logitech', 'argus', 'tis'])(
    'may not be an exposure below 0 for %s; 0 is dark',
    type => {
      expect(warningsOf(`camera_type = "${type}"\ncamera_exposure = -5`)).toEqual([
        expect.stringMatching(
          /^impossible 3: Camera\.camera_exposure is -5; for camera_type = "\w+" it must be 0 or more$/,
        ),
      ]);
      expect(warningsOf(`camera_type = "${type}"\ncamera_exposure = 0`)).toEqual([]);
    },
  );

  it('may be anything for a camera that is off', () => {
    expect(parseConfig('[Camera]\ncamera_type = "hawkeye"', 'c.toml').warnings).toEqual([]);
  });

  it('are asked about where an exposure in seconds is hardly meant', () => {
    const [warning] = warningsOf(`camera_type = "hawkeye"\n${right.replace('0.02', '150')}`);
    expect(warning).toMatch(/doubtful 3: Camera.camera_exposure is 150 seconds; .* write 0.015 if that was meant/);
  });

  it('are asked about where the exposure is longer than the interval', () => {
    const timing = '[Timing]\ncollector_interval_seconds = 5';
    const [warning] = warningsOf(`camera_type = "hawkeye"\n${right.replace('0.02', '6')}`, timing);
    expect(warning).toMatch(/is 6 seconds, and a frame is due every 5 seconds .*: frames will be missed$/);
  });
});
