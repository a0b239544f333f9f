import { readFileSync } from 'node:fs';
import { readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** A line of `/proc/self/mountinfo`. */
export interface Mount {
  /** Unique among those that are mounted. */
  id: string;
  mountPoint: string;
  /** Type of the file system: `ext4`, `vfat`, … */
  type: string;
  /** What is mounted: `/dev/sda1`, `tmpfs`, … */
  source: string;
  /** Those of the mount and of the file system, separated by commas. */
  options: string;
}

/** What the system says of disks; see {@link linuxDevices}. */
export interface DeviceSystem {
  /** Text of `/proc/self/mountinfo`, now: it costs microseconds. */
  mountInfo: () => string;
  /** The device node that has a UUID, such as `/dev/sda1`; null when none has. */
  deviceOf: (uuid: string) => Promise<string | null>;
  /** A path without symbolic links. Rejects with `ENOENT` when there is nothing. */
  realPath: (path: string) => Promise<string>;
}

const uuidFolder = '/dev/disk/by-uuid';

/**
 * Sees to it that a folder is on the disk with a UUID. A pulled USB disk leaves its mount point behind, as a folder of the disk
 * below, and what is written there is lost to sight.
 *
 * A folder that is not there yet counts as its nearest parent that is. A disk that is mounted twice counts at either place.
 */
export class MountedDevice {
  readonly #folder: string;
  readonly #uuid: string;
  readonly #system: DeviceSystem;
  /** As of the last look that went well. */
  #path: string | null = null;
  #mount: Mount | null = null;
  #mounts = '';

  constructor(folder: string, uuid: string, system: DeviceSystem = linuxDevices) {
    this.#folder = resolve(folder);
    this.#uuid = uuid;
    this.#system = system;
  }

  /** Null when the folder is on its disk; else what was found, and what to do. Errors are the file system's. */
  async check(): Promise<string | null> {
    const wrong = await this.#findWrong();
    if (wrong !== null) this.#path = null;
    return wrong;
  }

  /** Nothing was mounted or unmounted since the last look, which went well. */
  get isAsSeen(): boolean {
    return this.#path !== null && this.#system.mountInfo() === this.#mounts;
  }

  /**
   * For what is about to write. @throws Error with code `ENODEV` unless the mount that was seen by the last look, which went
   * well, is still the one that the folder is on.
   */
  mustBeThere(): void {
    if (this.#path !== null) {
      const mounts = this.#system.mountInfo();
      if (mounts === this.#mounts) return;
      const now = mountOf(this.#path, parseMountInfo(mounts));
      if (now?.id === this.#mount!.id && now.source === this.#mount!.source) {
        this.#mounts = mounts;
        return;
      }
    }
    const error: NodeJS.ErrnoException = new Error(
      `${this.#folder} is not on the disk with the UUID ${this.#uuid} (Storage.usb_uuid) just now: nothing is written`,
    );
    error.code = 'ENODEV';
    error.path = this.#folder;
    throw error;
  }

  async #findWrong(): Promise<string | null> {
    const device = await this.#system.deviceOf(this.#uuid);
    const uuid = `the disk with the UUID ${this.#uuid} (Storage.usb_uuid)`;
    if (device === null) return `${uuid} is not plugged in, and ${this.#folder} must be on it`;
    const path = await nearestThere(this.#folder, this.#system);
    const mounts = this.#system.mountInfo();
    const mount = mountOf(path, parseMountInfo(mounts));
    const source = mount && (await this.#system.realPath(mount.source).catch(() => mount.source));
    if (mount && source === device) {
      this.#path = path;
      this.#mount = mount;
      this.#mounts = mounts;
      return null;
    }
    const found = mount ? `${mount.source} (${mount.type}, mounted at ${mount.mountPoint})` : 'an unknown disk';
    return `${this.#folder} is on ${found} and not on ${uuid}, which is ${device}: mount that one there`;
  }
}

/** The mounts that `/proc/self/mountinfo` lists, in its order. Lines that are none are passed over. */
export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').flatMap(line => {
    // Optional fields of any number stand before the dash.
    const [before, after] = line.split(' - ');
    const [id, , , , mountPoint, own] = before?.split(' ') ?? [];
    const [type, source, options] = after?.split(' ') ?? [];
    if (id === undefined || mountPoint === undefined || type === undefined || source === undefined) return [];
    return [{ id, mountPoint: unescaped(mountPoint), type, source: unescaped(source), options: `${own},${options}` }];
  });
}

/** The mount that a path is on: the deepest mount point above it, and of several there the one mounted last. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const { mountPoint } = mount;
    const isAbove = path === mountPoint || path.startsWith(mountPoint.endsWith('/') ? mountPoint : `${mountPoint}/`);
    if (isAbove && mountPoint.length >= (found?.mountPoint.length ?? 0)) found = mount;
  }
  return found;
}

/** What Linux says. Without udev no disk has a UUID. */
export const linuxDevices: DeviceSystem = {
  mountInfo: () => readFileSync('/proc/self/mountinfo', 'utf8'),
  async deviceOf(uuid) {
    // vfat's are written in capitals there, and by people as they like.
    const name = (await uuids()).find(each => each.toLowerCase() === uuid.toLowerCase());
    return name === undefined ? null : deviceNamed(name);
  },
  realPath: realpath,
};

/** The UUID of the file system on a device node, such as `/dev/sda1`, as udev writes it; null when it has none. */
export async function uuidOf(device: string): Promise<string | null> {
  for (const name of await uuids()) if ((await deviceNamed(name)) === device) return name;
  return null;
}

function uuids(): Promise<string[]> {
  return readdir(uuidFolder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

async function deviceNamed(uuid: string): Promise<string | null> {
  try {
    return resolve(uuidFolder, await readlink(`${uuidFolder}/${uuid}`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Space, tab, newline and backslash stand there as octal numbers. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** A folder without symbolic links; of one that is not there yet its nearest parent that is. */
export async function nearestThere(folder: string, system: Pick<DeviceSystem, 'realPath'>): Promise<string> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    try {
      return await system.realPath(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || path === dirname(path)) throw error;
    }
  }
}
