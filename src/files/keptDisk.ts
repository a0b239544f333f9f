import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type DeviceSystem,
  linuxDevices,
  type Mount,
  mountOf,
  nearestThere,
  parseMountInfo,
  uuidOf,
} from './mountedDevice.ts';
import { comesOverNetwork } from './networkMount.ts';

/** What the system says of mounts, and of the disk that a folder is on. */
export interface KeptDiskSystem extends Pick<DeviceSystem, 'mountInfo' | 'realPath'> {
  /** Number of the file system that a path is on; null where there is no such path. */
  deviceNumber: (path: string) => number | null;
  /** The UUID of the file system on a device node; null when it has none. */
  uuidOf: (device: string) => Promise<string | null>;
}

/**
 * Sees to it that a folder stays on the disk that it was on at first, whichever that was: a disk that is pulled leaves its mount point behind, as a
 * folder of the disk below, and what is written there is lost to sight. So does a disk that is mounted over the folder.
 *
 * A disk that comes back is known by its UUID, else by its device.
 */
export class KeptDisk {
  readonly #folder: string;
  readonly #first: Mount;
  readonly #uuid: string | null;
  readonly #system: KeptDiskSystem;
  /** Where the folder is, or its nearest parent that there is; null after a look that found another disk. */
  #path: string | null;
  #seen: string | number | null;

  private constructor(folder: string, path: string, first: Mount, uuid: string | null, system: KeptDiskSystem) {
    this.#folder = folder;
    this.#path = path;
    this.#first = first;
    this.#uuid = uuid;
    this.#system = system;
    this.#seen = this.#signOf(path);
  }

  /** The disk that the folder is on now; null where the system does not tell. */
  static async of(folder: string, system: KeptDiskSystem = linuxDisks): Promise<KeptDisk | null> {
    try {
      const path = await nearestThere(resolve(folder), system);
      const mount = mountOf(path, parseMountInfo(system.mountInfo()));
      if (mount === null) return null;
      return new KeptDisk(resolve(folder), path, mount, await uuidAt(mount, system), system);
    } catch {
      return null;
    }
  }

  /** Null when the folder is on its disk; else what was found, and what to do. Errors are the file system's. */
  async check(): Promise<string | null> {
    const isSeen = this.isAsSeen;
    if (isSeen && comesOverNetwork(this.#first)) return null;
    const path = await nearestThere(this.#folder, this.#system);
    if (isSeen && path === this.#path) return null;
    const mount = mountOf(path, parseMountInfo(this.#system.mountInfo()));
    if (mount !== null && (await this.#isFirst(mount))) {
      this.#path = path;
      this.#seen = this.#signOf(path);
      return null;
    }
    this.#path = null;
    const { source, type, mountPoint } = this.#first;
    const own = `${source} (${type})`;
    if (mount === null || mount.mountPoint.length < mountPoint.length)
      return `the disk of ${this.#folder}, ${own}, is not at ${mountPoint} any more: plug it in and mount it there again`;
    const other = `${mount.source} (${mount.type}) is mounted at ${mount.mountPoint}`;
    return `the disk of ${this.#folder} is another one than at the start: ${other}, and not ${own}. Take that one away ("umount"), or stop the pipeline and start it anew on this one`;
  }

  /** The folder is on its disk, as far as one call tells. */
  get isAsSeen(): boolean {
    return this.#path !== null && this.#seen !== null && this.#signOf(this.#path) === this.#seen;
  }

  /** For what is about to write. @throws Error with code `ENODEV` unless the folder is on its disk, as the last look has seen it */
  mustBeThere(): void {
    if (this.isAsSeen) return;
    const error: NodeJS.ErrnoException = new Error(
      `${this.#folder} is not on the disk that it was on at the start: nothing is written`,
    );
    error.code = 'ENODEV';
    error.path = this.#folder;
    throw error;
  }

  async #isFirst(mount: Mount): Promise<boolean> {
    const { mountPoint, source, type } = this.#first;
    if (mount.mountPoint !== mountPoint) return false;
    // It is mounted as soon as somebody looks into it.
    if (mount.type === 'autofs' || type === 'autofs') return true;
    const uuid = await uuidAt(mount, this.#system);
    return this.#uuid !== null && uuid !== null ? uuid === this.#uuid : mount.source === source && mount.type === type;
  }

  /** Changes with the disk below a path, and costs one call. A share is not asked: it may hang. */
  #signOf(path: string): string | number | null {
    if (!comesOverNetwork(this.#first)) return this.#system.deviceNumber(path);
    return mountOf(path, parseMountInfo(this.#system.mountInfo()))?.id ?? null;
  }
}

const uuidAt = async (mount: Mount, system: KeptDiskSystem): Promise<string | null> =>
  mount.source.startsWith('/dev/')
    ? system.uuidOf(await system.realPath(mount.source).catch(() => mount.source)).catch(() => null)
    : null;

/** What Linux says. */
const linuxDisks: KeptDiskSystem = {
  ...linuxDevices,
  deviceNumber: path => {
    try {
      return statSync(path, { throwIfNoEntry: false })?.dev ?? null;
    } catch {
      // It was pulled, and its mount still stands.
      return null;
    }
  },
  uuidOf,
};
