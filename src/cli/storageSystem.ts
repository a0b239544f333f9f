/** What `check storage` asks the system: which disks there are, and how they are mounted. */

import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { type DiskSpace, diskSpaceOf } from '../files/diskSpace.ts';
import { type Files, nodeFiles } from '../files/files.ts';
import type { MountFacts } from '../files/mountAdvice.ts';
import {
  type DeviceSystem,
  linuxDevices,
  type Mount,
  mountOf,
  nearestThere,
  parseMountInfo,
  uuidOf,
} from '../files/mountedDevice.ts';
import { comesOverNetwork } from '../files/networkMount.ts';
import { type Clock, systemClock } from '../model/clock.ts';

/** What can be found out about disks; see {@link ownStorage}. */
export interface StorageSystem {
  devices: DeviceSystem;
  /** Of a device node; null when it has none. */
  uuidOf: (device: string) => Promise<string | null>;
  /** Text of `/etc/fstab`; null where it says nothing of this machine. */
  fstab: () => string | null;
  space: (path: string) => Promise<DiskSpace | null>;
  files: Files;
  clock: Clock;
  uid: number;
  gid: number;
  /** A call that takes longer hangs, ms. */
  patienceMs: number;
}

/** This machine. */
export const ownStorage: StorageSystem = {
  devices: linuxDevices,
  uuidOf,
  fstab: () => {
    if (['/.dockerenv', '/run/.containerenv'].some(mark => existsSync(mark))) return null;
    try {
      return readFileSync('/etc/fstab', 'utf8');
    } catch {
      return null;
    }
  },
  space: async path => {
    const space = diskSpaceOf(await statfs(path));
    return space === 'unknown' ? null : space;
  },
  files: nodeFiles,
  clock: systemClock,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  patienceMs: 5_000,
};

/** No Linux: nobody can tell. */
export function mountsOf({ mountInfo }: DeviceSystem): Mount[] {
  try {
    return parseMountInfo(mountInfo());
  } catch {
    return [];
  }
}

/** Whoever looks at what comes over a network may hang: such a path is taken as it is written. */
export async function realPlace(path: string, mounts: readonly Mount[], devices: DeviceSystem): Promise<string> {
  const mount = mountOf(path, mounts);
  return mount && comesOverNetwork(mount) ? path : nearestThere(path, devices).catch(() => path);
}

export async function factsOf(
  mount: Mount,
  { devices, uuidOf: uuid, fstab, uid, gid }: StorageSystem,
): Promise<MountFacts> {
  const source = mount.source.startsWith('/dev/')
    ? await devices.realPath(mount.source).catch(() => mount.source)
    : mount.source;
  return { mount, mounts: mountsOf(devices), uuid: await uuid(source), fstab: fstab(), uid, gid };
}
