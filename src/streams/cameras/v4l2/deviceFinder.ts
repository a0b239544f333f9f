import { CameraError } from '../cameraFaults.ts';
import {
  type DeviceRoots,
  deviceText,
  namedDevices,
  sameDevice,
  stableNames,
  type VideoDevice,
  videoDevices,
} from './videoDevice.ts';

export interface DeviceFinderDeps {
  roots: DeviceRoots;
  /** Devices that a number meant when it was first used, for as long as this process lives. */
  known: Map<number, VideoDevice>;
  note(note: { level: 'info' | 'warning'; message: string }): void;
}

/**
 * Finds the device of a camera, each time anew: after a USB disconnect it may have another number. A number means the device that had it when it was
 * first used, and no other.
 * @throws CameraError when there is none, or more than one
 */
export async function findDevice(
  camera: string,
  cameraId: number | string,
  { roots, known, note }: DeviceFinderDeps,
): Promise<VideoDevice> {
  const all = await videoDevices(roots);
  const number = numberOf(cameraId);
  const before = number === null ? undefined : known.get(number);
  if (before) {
    const again = sameDevice(all, before);
    if (!again) throw absent(camera, `${deviceText(before)} is gone`, all);
    if (again.path !== before.path) {
      note({ level: 'info', message: `${camera}: found again as ${deviceText(again)}; it was ${before.path}` });
      known.set(number!, again);
    }
    return again;
  }
  const [device, other] = namedDevices(all, cameraId);
  if (!device) throw absent(camera, `there is no video device ${cameraId}`, all);
  if (other) {
    throw new CameraError(
      'camera_ambiguous',
      'alarm',
      `${camera}: Camera.camera_id = "${cameraId}" fits ${listText(namedDevices(all, cameraId))}: write the whole name of one`,
    );
  }
  if (number !== null) {
    known.set(number, device);
    const name = goodName(all, device);
    if (name) {
      note({
        level: 'info',
        message: `${camera}: it is ${deviceText(device)}. Numbers change with the order in which devices come: camera_id = "${name}" stays`,
      });
    }
  }
  return device;
}

/** Of `0`, `"0"`, `"video0"` and `"/dev/video0"`; null: a name that stays with its device. */
function numberOf(cameraId: number | string): number | null {
  const digits = /^(?:(?:\/dev\/)?video)?(\d+)$/.exec(String(cameraId))?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The name that stays with this camera: its own, or that of its plug where another one is of the same model. */
function goodName(all: readonly VideoDevice[], device: VideoDevice): string | undefined {
  const hasTwin = all.some(
    other => other.card === device.card && other.ids.length === 0 && stableNames(other).some(isOfFrames),
  );
  return hasTwin ? (device.paths[0] ?? device.ids[0]) : stableNames(device)[0];
}

/** One for a camera's metadata ends otherwise. */
const isOfFrames = (name: string): boolean => name.endsWith('-index0');

function absent(camera: string, what: string, all: readonly VideoDevice[]): CameraError {
  const there = all.length === 0 ? 'this machine has no video device' : `there are ${listText(all)}`;
  return new CameraError(
    'camera_gone',
    'retry',
    `${camera}: ${what}; ${there}. Look at the plug and the power supply, or set Camera.camera_id`,
  );
}

const listText = (devices: readonly VideoDevice[]): string => devices.map(deviceText).join(', ');
