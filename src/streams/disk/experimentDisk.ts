import type { ResolvedPaths } from '../../config/resolvePaths.ts';
import type { Config } from '../../config/schema.ts';
import { MountedDevice } from '../../files/mountedDevice.ts';

/** The experiment is not on the disk that its configuration names. */
export class WrongDiskError extends Error {
  override name = 'WrongDiskError';
}

/** The disk on which an experiment must be; null when it may be on any. */
export function diskOf({ Storage }: Config, { root }: Pick<ResolvedPaths, 'root'>): MountedDevice | null {
  return Storage.usb_uuid === '' ? null : new MountedDevice(root, Storage.usb_uuid);
}
