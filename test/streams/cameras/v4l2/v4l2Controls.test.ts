import { describe, expect, it } from 'vitest';
import { controlSteps, controlTrouble, exposureMetadata } from '../../../../src/streams/cameras/v4l2/v4l2Controls.ts';
import { chooseFormat, parseFfmpegFormats } from '../../../../src/streams/cameras/v4l2/v4l2Formats.ts';
import {
  hasSize,
  parseControls,
  parseFormats,
  parseFrameFormat,
  parseValues,
} from '../../../../src/streams/cameras/v4l2/v4l2Listings.ts';
import { frameFormat, newControls, newFormats, oldControls, oldFormats } from './listings.ts';

const settings = { exposure: 150, gain: 32, brightness: 128, contrast: 32 };
const assignments = (listing: string, asked = settings) =>
  controlSteps(parseControls(listing), asked).steps.map(({ name, value }) => `${name}=${value}`);

describe('what v4l2-ctl lists', () => {
  it('is read with flags, menus, and switches that name no bounds', () => {
    const controls = parseControls(newControls);
    expect(controls.size).toBe(9);
    expect(controls.get('exposure_time_absolute')).toMatchObject({
      min: 3,
      max: 2047,
      step: 1,
      value: 250,
      isInactive: true,
    });
    expect(controls.get('white_balance_automatic')).toMatchObject({ type: 'bool', min: 0, max: 1, value: 1 });
    expect([...controls.get('auto_exposure')!.menu.keys()]).toEqual([1, 3]);
    expect([...controls.get('gain')!.menu]).toEqual([]);
  });

  it('is read from tools that print no numbers of controls', () => {
    const controls = parseControls(oldControls);
    expect(controls.size).toBe(9);
    expect(controls.get('exposure_auto')!.menu.get(1)).toBe('Manual Mode');
    expect(controls.get('exposure_absolute')!.isInactive).toBe(true);
  });

  it('is read back by name', () => {
    expect([...parseValues('auto_exposure: 1\nexposure_time_absolute: 150\nhue: -3\n')]).toEqual([
      ['auto_exposure', 1],
      ['exposure_time_absolute', 150],
      ['hue', -3],
    ]);
  });

  it.each([
    ['a new tool', newFormats, ['MJPG', 'YUYV', 'Y16 ']],
    ['an old tool', oldFormats, ['YUYV', 'MJPG']],
  ])('is read as formats with their sizes, of %s', (_, listing, fourccs) => {
    expect(parseFormats(listing).map(({ fourcc }) => fourcc)).toEqual(fourccs);
  });

  it('says which sizes a format has, also by steps', () => {
    const [jpeg, yuyv, gray] = parseFormats(newFormats);
    expect(hasSize(jpeg!, { width: 1920, height: 1080 })).toBe(true);
    expect(hasSize(yuyv!, { width: 1920, height: 1080 })).toBe(false);
    expect(hasSize(gray!, { width: 640, height: 480 })).toBe(true);
    expect(hasSize(gray!, { width: 648, height: 480 })).toBe(false);
  });

  it('is read from ffmpeg too, which says it on standard error', () => {
    const tag = '[video4linux2,v4l2 @ 0x55d0c8a1e2c0]';
    const text =
      `${tag} Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 160x90\n` +
      `${tag} Compressed:       mjpeg :          Motion-JPEG : 640x480 1920x1080\n` +
      `${tag} Raw       : Unsupported :         10-bit Bayer : {32-2592, 2}x{32-1944, 2}\n` +
      `${tag} Raw       :        gray :       8-bit Greyscale : {32-2592, 2}x{32-1944, 2}\n/dev/video0: Immediate exit requested\n`;
    const formats = parseFfmpegFormats(text);
    expect(formats.map(({ fourcc }) => fourcc)).toEqual(['YUYV', 'MJPG', 'GREY']);
    expect(chooseFormat(formats, { width: 640, height: 480, pixelFormat: '' }).fourcc).toBe('GREY');
    expect(chooseFormat(formats, { width: 160, height: 90, pixelFormat: 'yuyv' }).fourcc).toBe('YUYV');
    expect(chooseFormat(formats, { width: 1920, height: 1080, pixelFormat: 'MJPG' }).fourcc).toBe('MJPG');
    expect(() => chooseFormat(formats, { width: 641, height: 480, pixelFormat: '' })).toThrow(
      'it has YUYV of 640 × 480, 160 × 90; MJPG of 640 × 480, 1920 × 1080; GREY of 32 × 32 to 2592 × 1944',
    );
  });

  it('says what a frame will be', () => {
    expect(parseFrameFormat(frameFormat)).toEqual({
      width: 640,
      height: 480,
      fourcc: 'YUYV',
      bytesPerLine: 1280,
      sizeImage: 614400,
    });
    expect(parseFrameFormat('')).toBeNull();
  });
});

describe('the controls of a camera', () => {
  const common = ['gain=32', 'brightness=128', 'contrast=32'];
  it.each([
    [
      'of new kernels',
      newControls,
      [
        'auto_exposure=1',
        'exposure_time_absolute=150',
        ...common,
        'white_balance_automatic=0',
        'white_balance_temperature=4000',
      ],
    ],
    [
      'of old kernels',
      oldControls,
      [
        'exposure_auto=1',
        'exposure_absolute=150',
        ...common,
        'white_balance_temperature_auto=0',
        'white_balance_temperature=4000',
      ],
    ],
  ])('%s are set with manual exposure first, and each automatic before what it holds', (_, listing, expected) => {
    expect(assignments(listing)).toEqual(expected);
  });

  it('take the manual mode that the menu names, or exposure by hand with the iris by the camera', () => {
    const swapped = newControls
      .replace('1: Manual Mode', '0: Auto Mode')
      .replace('3: Aperture Priority Mode', '2: Manual Mode');
    expect(assignments(swapped)[0]).toBe('auto_exposure=2');
    const shutter = newControls.replace('1: Manual Mode', '2: Shutter Priority Mode');
    expect(assignments(shutter)[0]).toBe('auto_exposure=2');
  });

  it('that have their value already are left alone, unless an automatic holds them', () => {
    const { steps } = controlSteps(parseControls(newControls), settings);
    expect(steps.filter(({ isSet }) => isSet).map(({ name }) => name)).toEqual(['brightness']);
    const held = controlSteps(parseControls(newControls), { ...settings, exposure: 250 }).steps;
    expect(held.find(({ key }) => key === 'exposure')!.isSet).toBe(false);
  });

  it('get the nearest value that they have, and the difference is told with the key that asked', () => {
    const listing = newControls.replace(
      '(int)    : min=0 max=255 step=1 default=0',
      '(int)    : min=0 max=252 step=4 default=0',
    );
    const { steps } = controlSteps(parseControls(listing), { ...settings, gain: 33, exposure: 9999 });
    expect(steps.find(({ key }) => key === 'gain')!.value).toBe(32);
    const exposure = steps.find(({ key }) => key === 'exposure')!;
    expect(exposure.value).toBe(2047);
    expect(controlTrouble(exposure, 2047)).toBe(
      'camera_exposure = 9999 (exposure_time_absolute): the camera has 2047; it has 3 to 2047',
    );
  });

  it('that the camera bends or hides are told; those as asked are not', () => {
    const { steps } = controlSteps(parseControls(newControls), settings);
    const gain = steps.find(({ key }) => key === 'gain')!;
    expect(controlTrouble(gain, 32)).toBeNull();
    expect(controlTrouble(gain, 16)).toMatch(/camera_gain = 32 \(gain\): the camera has 16, and refuses the other/);
    expect(controlTrouble(gain, undefined)).toMatch(/can not be read back/);
  });

  it('that the camera does not have are named, and only those that somebody asked for', () => {
    const { steps, absent } = controlSteps(parseControls('brightness (int) : min=0 max=255 step=1 value=3'), settings);
    expect(steps).toHaveLength(1);
    expect(absent).toEqual(['exposure', 'gain', 'contrast']);
  });

  it('give the exposure in seconds, asked and got', () => {
    const { steps } = controlSteps(parseControls(oldControls), settings);
    expect(exposureMetadata(steps, new Map([['exposure_absolute', 156]]))).toEqual({
      exposure_asked_seconds: 0.015,
      exposure_seconds: 0.0156,
    });
    expect(exposureMetadata([], new Map())).toEqual({});
  });
});
