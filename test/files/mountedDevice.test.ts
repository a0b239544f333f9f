import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';
import { guardedFiles } from '../../src/files/guardedFiles.ts';
import { KeptDisk } from '../../src/files/keptDisk.ts';
import {
  type DeviceSystem,
  linuxDevices,
  MountedDevice,
  mountOf,
  parseMountInfo,
} from '../../src/files/mountedDevice.ts';
import type { StageEvent } from '../../src/model/event.ts';
import { device$ } from '../../src/streams/disk/deviceWatch.ts';
import { useStillTime } from '../world/eventRun.ts';
import { StageRun } from '../world/stageRun.ts';
import { StageWorld, type WorldSettings } from '../world/stageWorld.ts';

const sdCard = '22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw';
const usbDisk = '87 22 8:1 / /media/pi/USB\\040disk rw,nosuid master:3 shared:9 - vfat /dev/sda1 rw,uid=1000';
const root = '/media/pi/USB disk/run 1';

/** A Raspberry Pi whose USB disk can be pulled. */
class Machine implements DeviceSystem {
  mounts = [sdCard, '23 22 0:20 / /proc rw - proc proc rw', usbDisk];
  devices: Record<string, string> = { 'BB92-0AA4': '/dev/sda1' };
  failing: string | null = null;
  looks = 0;
  readonly mountInfo = (): string => `${this.mounts.join('\n')}\n`;
  readonly deviceOf = async (uuid: string): Promise<string | null> => {
    this.looks++;
    if (this.failing !== null) throw new Error(this.failing);
    return this.devices[uuid] ?? null;
  };
  readonly realPath = async (path: string): Promise<string> => {
    if (path === root) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    return path;
  };

  pull(): void {
    this.mounts = this.mounts.filter(line => line !== usbDisk);
    this.devices = {};
  }

  plug(line = usbDisk.replace('87 ', '91 ')): void {
    this.mounts.push(line);
    this.devices = { 'BB92-0AA4': '/dev/sda1' };
  }
}

describe('the table of mounts', () => {
  it('is read whatever stands in it', () => {
    const mounts = parseMountInfo(`${sdCard}\n${usbDisk}\nnonsense\n\n`);
    expect(mounts).toEqual([
      { id: '22', mountPoint: '/', type: 'ext4', source: '/dev/mmcblk0p2', options: expect.any(String) },
      { id: '87', mountPoint: '/media/pi/USB disk', type: 'vfat', source: '/dev/sda1', options: expect.any(String) },
    ]);
  });

  it('says which mount a path is on: the deepest, and the last of several', () => {
    const mounts = parseMountInfo(
      [
        sdCard,
        usbDisk,
        '88 87 8:2 / /media/pi/USB\\040disk rw - ext4 /dev/sdb1 rw',
        '89 22 8:3 / /media/p rw - ext4 /dev/sdc1 rw',
      ].join('\n'),
    );
    expect(mountOf('/media/pi/USB disk/run', mounts)?.source).toBe('/dev/sdb1');
    expect(mountOf('/media/pi/USB disk', mounts)?.source).toBe('/dev/sdb1');
    expect(mountOf('/media/pi/USB disk 2', mounts)?.source).toBe('/dev/mmcblk0p2');
    expect(mountOf('/media/p/x', mounts)?.source).toBe('/dev/sdc1');
    expect(mountOf('/anything', [])).toBe(null);
  });

  it.skipIf(!existsSync('/proc/self/mountinfo'))(
    'of this machine has a root, and no disk of a made up UUID',
    async () => {
      expect(mountOf('/', parseMountInfo(linuxDevices.mountInfo()))?.mountPoint).toBe('/');
      expect(await linuxDevices.deviceOf('0000-none')).toBe(null);
    },
  );
});

describe('a disk that must be mounted', () => {
  it('is there, also while the root is not made yet', async () => {
    expect(await new MountedDevice(root, 'BB92-0AA4', new Machine()).check()).toBe(null);
  });

  it('is not: what is there instead, and what to do', async () => {
    const machine = new Machine();
    const device = new MountedDevice(root, 'BB92-0AA4', machine);
    machine.mounts.pop();
    expect(await device.check()).toBe(
      '/media/pi/USB disk/run 1 is on /dev/mmcblk0p2 (ext4, mounted at /) and not on the disk with the UUID BB92-0AA4 ' +
        '(Storage.usb_uuid), which is /dev/sda1: mount that one there',
    );
    machine.pull();
    expect(await device.check()).toContain('BB92-0AA4 (Storage.usb_uuid) is not plugged in');
  });

  it('lets nothing be written from the instant in which it is not there, and again once it was seen to be back', async () => {
    const machine = new Machine();
    const device = new MountedDevice(root, 'BB92-0AA4', machine);
    expect(() => device.mustBeThere()).toThrow(/just now: nothing is written/);
    await device.check();
    device.mustBeThere();
    machine.mounts.push('99 22 0:44 / /tmp/other rw - tmpfs tmpfs rw');
    device.mustBeThere();
    machine.pull();
    expect(() => device.mustBeThere()).toThrow(expect.objectContaining({ code: 'ENODEV', path: root }));
    // Another disk at the same place, and the same one mounted anew: only a look can tell them apart.
    machine.plug(usbDisk.replace('87 ', '92 ').replace('sda1', 'sdb1'));
    expect(() => device.mustBeThere()).toThrow(/not on the disk/);
    machine.mounts.pop();
    machine.plug();
    expect(() => device.mustBeThere()).toThrow(/not on the disk/);
    await device.check();
    device.mustBeThere();
  });

  it('guards every call that writes, and none that reads', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'phorest-guard-'));
    try {
      const file = join(folder, 'a');
      await writeFile(file, 'content');
      let isThere = true;
      const files = guardedFiles(nodeFiles, () => {
        if (!isThere) throw Object.assign(new Error('gone'), { code: 'ENODEV' });
      });
      const writes: (() => Promise<unknown>)[] = [
        () => files.makeFolder(join(folder, 'b')),
        () => files.open(join(folder, 'c'), 'a').then(opened => opened.close()),
        () => files.open(file, 'r+').then(opened => opened.close()),
        () => files.rename(file, join(folder, 'd')),
        () => files.remove(join(folder, 'd')),
      ];
      isThere = false;
      for (const write of writes) await expect(write()).rejects.toMatchObject({ code: 'ENODEV' });
      await (await files.open(file, 'r')).close();
      expect([await files.list(folder), (await files.stat(file))?.size]).toEqual([['a'], 7]);
      await files.syncFolder(folder);
      isThere = true;
      for (const write of writes) await write();
      expect((await files.list(folder)).sort()).toEqual(['b', 'c']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the watch over the disk', () => {
  beforeEach(useStillTime);
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells at once, within a quarter of a second when something is mounted or unmounted, and looks again each second', async () => {
    const machine = new Machine();
    const said: (string | null)[] = [];
    const watching = device$(new MountedDevice(root, 'BB92-0AA4', machine)).subscribe(hindrance =>
      said.push(hindrance?.message ?? null),
    );
    await vi.advanceTimersByTimeAsync(0);
    expect([said, machine.looks]).toEqual([[null], 1]);
    await vi.advanceTimersByTimeAsync(2000);
    expect([said, machine.looks]).toEqual([[null], 3]);
    machine.pull();
    await vi.advanceTimersByTimeAsync(250);
    expect(said).toEqual([null, expect.stringContaining('not plugged in')]);
    machine.plug();
    await vi.advanceTimersByTimeAsync(1000);
    expect(said).toEqual([null, expect.any(String), null]);
    // The node is gone, though the mount still stands.
    machine.devices = {};
    await vi.advanceTimersByTimeAsync(1000);
    machine.failing = 'EIO';
    await vi.advanceTimersByTimeAsync(1000);
    machine.failing = null;
    machine.devices = { 'BB92-0AA4': '/dev/sda1' };
    await vi.advanceTimersByTimeAsync(1000);
    expect(said.slice(3)).toEqual([expect.stringContaining('not plugged in'), expect.stringContaining('EIO'), null]);
    watching.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says nothing against any disk when none is asked for', () => {
    const said: unknown[] = [];
    device$(null).subscribe(hindrance => said.push(hindrance));
    expect(said).toEqual([null]);
  });

  it('makes a stage rest with an alarm until the disk is back', async () => {
    const machine = new Machine();
    const world = new StageWorld();
    const run = new StageRun<WorldSettings>({ name: 'a' });
    const here$ = device$(new MountedDevice(root, 'BB92-0AA4', machine));
    world.offer('first');
    run.start(world.stage({ ...run.tools, pausedBy$: here$ }));
    await run.until(() => run.count('done') === 1);
    machine.pull();
    await run.until(() => run.told.at(-1) === 'paused', 250);
    world.offer('second');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([world.open, world.settled, run.status('compressor').alarms]).toEqual([0, ['first'], ['wrong_disk']]);
    const [alarm, ...more] = run.events.filter((event: StageEvent) => event.kind === 'alarm');
    expect([alarm, more]).toMatchObject([{ message: expect.stringContaining('BB92-0AA4') }, []]);
    machine.plug();
    await run.until(() => run.count('done') === 2, 250);
    expect(run.status('compressor').alarms).toEqual([]);
    run.stop$.next();
    await run.until(() => run.complete);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets a stage that a person has paused rest on', async () => {
    const world = new StageWorld();
    const run = new StageRun<WorldSettings>({ name: 'a' });
    run.paused$.next(true);
    run.start(world.stage({ ...run.tools, pausedBy$: of(null) }));
    await run.rest();
    expect(run.told).toEqual(['paused']);
    run.unsubscribe();
  });
});

/** Mounting is for root, and not in every container. */
function mayMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const folder = join(tmpdir(), `phorest-mount-${process.pid}`);
  spawnSync('mkdir', ['-p', folder]);
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]).status === 0;
  if (isMounted) spawnSync('umount', [folder]);
  spawnSync('rmdir', [folder]);
  return isMounted;
}

describe.skipIf(!mayMount())('a real disk that is unmounted under a running process (needs root)', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phorest-disk-'));
    spawnSync('mount', ['-t', 'tmpfs', 'disk-of-test', folder]);
  });
  afterEach(async () => {
    spawnSync('umount', ['-l', folder]);
    await rm(folder, { recursive: true });
  });

  it('leaves nothing on the disk below, also when no UUID was named', async () => {
    const kept = (await KeptDisk.of(join(folder, 'run')))!;
    const files = guardedFiles(nodeFiles, () => kept.mustBeThere());
    await files.makeFolder(join(folder, 'run'));
    expect(await kept.check()).toBe(null);
    spawnSync('umount', [folder]);
    await expect(files.open(join(folder, 'image.png'), 'wx')).rejects.toMatchObject({ code: 'ENODEV' });
    await expect(files.makeFolder(join(folder, 'run'))).rejects.toMatchObject({ code: 'ENODEV' });
    expect(await nodeFiles.list(folder)).toEqual([]);
    expect(await kept.check()).toContain(`is not at ${folder} any more`);
    spawnSync('mount', ['-t', 'tmpfs', 'disk-of-test', folder]);
    expect(await kept.check()).toBe(null);
    await (await files.open(join(folder, 'image.png'), 'wx')).close();
    // Another disk over it.
    spawnSync('mount', ['-t', 'tmpfs', 'another-disk', folder]);
    await expect(files.open(join(folder, 'b.png'), 'wx')).rejects.toMatchObject({ code: 'ENODEV' });
    expect(await kept.check()).toContain('another one than at the start');
    spawnSync('umount', [folder]);
    expect(await kept.check()).toBe(null);
  });

  it('leaves nothing on the disk below', async () => {
    const device = new MountedDevice(join(folder, 'run'), 'X', {
      ...linuxDevices,
      deviceOf: async () => 'disk-of-test',
    });
    const files = guardedFiles(nodeFiles, () => device.mustBeThere());
    expect(await device.check()).toBe(null);
    await mkdir(join(folder, 'run'));
    const log = await files.open(join(folder, 'run', 'log'), 'a');
    spawnSync('umount', ['-l', folder]);
    // What is open belongs to the disk that went.
    await log.write(Buffer.from('late'), null);
    await expect(files.makeFolder(join(folder, 'run'))).rejects.toMatchObject({ code: 'ENODEV' });
    await expect(files.open(join(folder, 'image.png'), 'wx')).rejects.toMatchObject({ code: 'ENODEV' });
    expect(await nodeFiles.list(folder)).toEqual([]);
    expect(await device.check()).toContain('mount that one there');
    await log.close();
    spawnSync('mount', ['-t', 'tmpfs', 'disk-of-test', folder]);
    expect(await device.check()).toBe(null);
    await (await files.open(join(folder, 'image.png'), 'wx')).close();
    expect(readFileSync(join(folder, 'image.png'))).toHaveLength(0);
  });
});
