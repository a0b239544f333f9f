import { describe, expect, it } from 'vitest';
import { listing } from '../../../src/cli/findCameras.ts';
import { parseConfig } from '../../../src/config/parseConfig.ts';
import { findCameras, parseDeviceMonitor } from '../../../src/streams/cameras/findCameras.ts';
import { rpicam } from '../../world/standInRpicam.ts';
import { type StandIn, standInTools } from '../../world/standInTools.ts';
import { factoryValues, standInV4l2Ctl, videoMachine } from './v4l2/standInV4l2Ctl.ts';

const never = new AbortController().signal;
const noImage = (): Uint8Array => new Uint8Array();
const webcam = { number: 0, card: 'HD Pro Webcam C920', id: 'usb-046d_HD_Pro_Webcam_C920_3A5B-video-index0' };
const none = { dev: '/nowhere', sys: '/nowhere' };

const search = (programs: Readonly<Record<string, StandIn>>, roots = none) =>
  findCameras({ tools: standInTools(programs).tools, signal: never, roots });

const deviceMonitor = `Probing devices...


Device found:

	name  : DMK 33UX183
	class : Source/Video/Device
	caps  : video/x-raw, format=GRAY8, width=4000, height=3000
	properties:
		serial = 41910044
	gst-launch-1.0 tcamsrc serial=41910044-v4l2 ! ...

Device found:

	name  : Logitech BRIO
	class : Video/Source
	gst-launch-1.0 v4l2src ! ...

Device found:

	name  : Aravis-Fake-GV01
	class : Video/Source
	gst-launch-1.0 aravissrc camera-name="Aravis\\-Fake\\-GV01" ! ...
`;

describe('cameras that are attached', () => {
  it('are those of libcamera, each by a name that stays with its connector', async () => {
    const cameras = [
      '0 : imx477 [4056x3040 12-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx477@1a)',
      '1 : arducam_64mp [9152x6944 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@80000/arducam_64mp@1a)',
    ];
    const [libcamera] = await search({ 'rpicam-still': rpicam({ cameras, image: noImage }) });
    expect(libcamera!.cameras.map(({ settings }) => [settings.camera_type, settings.camera_id])).toEqual([
      ['libcamera', '/base/axi/pcie@120000/rp1/i2c@88000/imx477@1a'],
      ['hawkeye', '/base/axi/pcie@120000/rp1/i2c@80000/arducam_64mp@1a'],
    ]);
  });

  it('are those of Video4Linux, with the settings that they have, and no parts of the machine', async () => {
    const machine = videoMachine([webcam, { number: 10, card: 'bcm2835-codec-decode' }]);
    const device = {
      names: 'new',
      fourcc: 'YUYV',
      width: 1920,
      height: 1080,
      bytesPerLine: 3840,
      frame: noImage(),
      values: factoryValues(),
    } as const;
    const [, v4l] = await search({ 'v4l2-ctl': standInV4l2Ctl(() => ({ video0: device })) }, machine);
    expect(v4l).toMatchObject({ way: 'Video4Linux', trouble: null });
    expect(v4l!.cameras).toEqual([
      {
        title: expect.stringMatching(/^HD Pro Webcam C920, up to 1920 × 1080 \(.*video0\)$/),
        settings: {
          camera_type: 'logitech',
          camera_id: 'usb-046d_HD_Pro_Webcam_C920_3A5B-video-index0',
          camera_exposure: 250,
          camera_gain: 0,
          camera_brightness: 128,
          camera_contrast: 128,
        },
      },
    ]);
  });

  it('are those of GStreamer that are found in no other way', () => {
    expect(parseDeviceMonitor(deviceMonitor)).toEqual([
      {
        title: 'DMK 33UX183 (serial number 41910044)',
        settings: { camera_type: 'tis', camera_id: '41910044' },
      },
      {
        title: 'Aravis-Fake-GV01 (aravissrc)',
        settings: { camera_type: 'gstreamer', camera_pipeline: ['aravissrc', 'camera-name=Aravis-Fake-GV01'] },
      },
    ]);
  });

  it('are told with numbers and the lines to write; the lines are a configuration', async () => {
    const searches = await search({ 'rpicam-still': rpicam({ image: noImage }) });
    const lines = listing(searches);
    expect(lines.join('\n')).toMatch(/^\n1 {2}imx477, 4056 × 3040 \(\/base\/.*\), by libcamera\n {5}\[Camera\]\n/);
    const toml = lines.filter(line => /^ {5}/.test(line)).join('\n');
    const { config, warnings } = parseConfig(`${toml}\n[Services]\nenable_camera = true`, 'c.toml');
    expect(config.Camera).toMatchObject({ camera_type: 'libcamera', camera_id: 0, camera_exposure: 0.02 });
    expect(warnings).toEqual([]);
  });
});

describe('a machine without', () => {
  it('any of the programs says which to install, each in its line', async () => {
    const machine = videoMachine([webcam]);
    const lines = listing(await search({}, machine)).join('\n');
    expect(lines).toMatch(/libcamera: rpicam-still is not on this machine \(sudo apt install rpicam-apps\)/);
    expect(lines).toMatch(/Video4Linux: v4l2-ctl is not on this machine.*v4l-utils/);
    expect(lines).toMatch(/GStreamer: gst-device-monitor-1.0 is not on this machine/);
    expect(lines).toMatch(/1 {2}HD Pro Webcam C920/);
  });

  it('a camera says what to look at', async () => {
    const [libcamera] = await search({ 'rpicam-still': rpicam({ cameras: [], image: noImage }) });
    expect(libcamera!.trouble).toMatch(/no camera is found \("No cameras available!"\): .*cable/);
  });

  it('an answer from one program still tells what the others found', async () => {
    const hangs: StandIn = () => ({ stderr: 'ERROR: *** failed to acquire camera ***', code: 255 });
    const gst: StandIn = () => ({ stdout: deviceMonitor });
    const [libcamera, , gstreamer] = await search({ 'rpicam-still': hangs, 'gst-device-monitor-1.0': gst });
    expect(libcamera!.trouble).toMatch(/another program uses the camera/);
    expect(gstreamer!.cameras).toHaveLength(2);
  });
});
