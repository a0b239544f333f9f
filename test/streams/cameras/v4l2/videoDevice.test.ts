import { openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deviceHolders } from '../../../../src/streams/cameras/deviceHolders.ts';
import {
  deviceText,
  namedDevices,
  sameDevice,
  videoDevices,
} from '../../../../src/streams/cameras/v4l2/videoDevice.ts';
import { type Plugged, videoMachine } from './standInV4l2Ctl.ts';

const chip = {
  card: 'HD Pro Webcam C920',
  id: 'usb-046d_HD_Pro_Webcam_C920_6F2A-video-index0',
  path: 'usb-0:1.1-video-index0',
};
const chipMeta = { ...chip, id: chip.id.replace('index0', 'index1'), path: chip.path.replace('index0', 'index1') };
const door = { card: 'UVC Camera', id: 'usb-Door_UVC_01-video-index0', path: 'usb-0:1.2-video-index0' };
const found = async (devices: readonly Plugged[], id: number | string) =>
  namedDevices(await videoDevices(videoMachine(devices)), id).map(({ path }) => path.split('/').at(-1));

it('a camera is found by its number, its whole name, a path to it, or a part of its names', async () => {
  const all = [
    { number: 0, ...chip },
    { number: 1, ...chipMeta },
    { number: 10, ...door },
  ];
  expect(await found(all, 10)).toEqual(['video10']);
  expect(await found(all, '10')).toEqual(['video10']);
  expect(await found(all, chip.id)).toEqual(['video0']);
  expect(await found(all, `/dev/v4l/by-path/${door.path}`)).toEqual(['video10']);
  expect(await found(all, 'c920')).toEqual(['video0']);
  expect(await found(all, 'UVC')).toEqual(['video10']);
  expect(await found(all, '/dev/video1')).toEqual(['video1']);
  expect(await found(all, 'Brio')).toEqual([]);
  expect(await found([], 0)).toEqual([]);
});

it('two cameras of one name are both named, so that nothing is taken by chance', async () => {
  const twin = { card: chip.card, path: 'usb-0:1.3-video-index0' };
  expect(
    await found(
      [
        { number: 0, ...chip },
        { number: 2, ...twin },
      ],
      'C920',
    ),
  ).toEqual(['video0', 'video2']);
});

it('a camera that comes back with another number after a reset is found again, and not the one that has its number now', async () => {
  const [known] = await videoDevices(
    videoMachine([
      { number: 0, ...chip },
      { number: 2, ...door },
    ]),
  );
  const after = await videoDevices(
    videoMachine([
      { number: 0, ...door },
      { number: 2, ...chip },
    ]),
  );
  expect(sameDevice(after, known!)?.path).toMatch(/video2$/);
  const gone = await videoDevices(videoMachine([{ number: 0, ...door }]));
  expect(sameDevice(gone, known!)).toBeUndefined();
});

it('a camera that was put into another plug is found by its own name', async () => {
  const [known] = await videoDevices(videoMachine([{ number: 0, ...chip }]));
  const moved = await videoDevices(
    videoMachine([
      { number: 0, ...door, path: chip.path },
      { number: 3, ...chip, path: 'usb-0:1.4-video-index0' },
    ]),
  );
  expect(sameDevice(moved, known!)?.path).toMatch(/video3$/);
});

it('of two cameras of one model without serial numbers each is found by its plug, whichever the shared name leads to', async () => {
  const left = { card: 'UVC Camera', path: 'usb-0:1.1-video-index0' };
  const right = { card: 'UVC Camera', path: 'usb-0:1.2-video-index0' };
  const shared = 'usb-Generic_UVC-video-index0';
  const [known] = await videoDevices(
    videoMachine([
      { number: 0, ...left, id: shared },
      { number: 2, ...right },
    ]),
  );
  const after = await videoDevices(
    videoMachine([
      { number: 0, ...right, id: shared },
      { number: 2, ...left },
    ]),
  );
  expect(sameDevice(after, known!)?.path).toMatch(/video2$/);
});

it('a device is told with what it calls itself and its stable name', async () => {
  const [device] = await videoDevices(videoMachine([{ number: 0, ...chip }]));
  expect(deviceText(device!)).toMatch(/video0 \(HD Pro Webcam C920, usb-046d_HD_Pro_Webcam_C920_6F2A-video-index0\)$/);
  expect(deviceText({ path: '/dev/video5', card: '', ids: [], paths: [] })).toBe('/dev/video5');
});

it('the process that holds a device is named', async () => {
  const path = join(videoMachine([{ number: 0, ...chip }]).dev, 'video0');
  expect(await deviceHolders([path])).toEqual([]);
  openSync(path, 'r');
  expect(await deviceHolders([path])).toEqual([{ pid: process.pid, name: expect.stringMatching(/./) }]);
});
