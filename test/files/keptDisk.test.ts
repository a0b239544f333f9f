import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeptDisk, type KeptDiskSystem } from '../../src/files/keptDisk.ts';
import { device$ } from '../../src/streams/disk/deviceWatch.ts';
import { useStillTime } from '../world/eventRun.ts';
import { StageRun } from '../world/stageRun.ts';
import { StageWorld, type WorldSettings } from '../world/stageWorld.ts';

const sdCard = '22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw';
const usbDisk = '87 22 8:1 / /media/pi/USB rw - vfat /dev/sda1 rw,uid=1000';
const root = '/media/pi/USB/run';

/** A Raspberry Pi whose USB disk can be pulled, and is then unmounted. */
class Machine implements KeptDiskSystem {
  mounts = [sdCard, usbDisk];
  uuids: Record<string, string> = { '/dev/sda1': 'BB92-0AA4', '/dev/mmcblk0p2': 'aaaa' };
  folders = new Set(['/', '/media', '/media/pi', '/media/pi/USB', root]);
  readonly mountInfo = (): string => `${this.mounts.join('\n')}\n`;
  readonly realPath = async (path: string): Promise<string> => {
    if (!path.startsWith('/dev/') && this.deviceNumber(path) === null)
      throw Object.assign(new Error(path), { code: 'ENOENT' });
    return path;
  };
  readonly uuidOf = async (device: string): Promise<string | null> => this.uuids[device] ?? null;
  readonly deviceNumber = (path: string): number | null => {
    const isHere = this.folders.has(path) && (path !== root || this.mounts.length > 1);
    if (!isHere) return null;
    const mount = this.mounts.findLast(each => path.startsWith(each.split(' ')[4]!))!;
    return Number(mount.split(' ')[2]!.replace(':', '0'));
  };
}

describe('the disk that an experiment was begun on, when no UUID was named', () => {
  it('may be any, and is there', async () => {
    for (const folder of [root, `${root}/not/made/yet`, '/home/pi/run']) {
      const disk = (await KeptDisk.of(folder, new Machine()))!;
      expect(await disk.check()).toBe(null);
      disk.mustBeThere();
    }
  });

  it('is gone when it was pulled: nothing is written below, and the words say which disk, where it was, and what to do', async () => {
    const machine = new Machine();
    const disk = (await KeptDisk.of(root, machine))!;
    machine.mounts.pop();
    expect(() => disk.mustBeThere()).toThrow(expect.objectContaining({ code: 'ENODEV', path: root }));
    expect(await disk.check()).toBe(
      `the disk of ${root}, /dev/sda1 (vfat), is not at /media/pi/USB any more: plug it in and mount it there again`,
    );
    expect(() => disk.mustBeThere()).toThrow('nothing is written');
  });

  it.each([
    ['at the same device', '91 22 8:1 / /media/pi/USB rw - vfat /dev/sda1 rw', null],
    ['at another device, with its UUID', '91 22 8:17 / /media/pi/USB rw - vfat /dev/sdb1 rw', null],
    [
      'no: it is another disk',
      '91 22 8:33 / /media/pi/USB rw - vfat /dev/sdc1 rw',
      /is another one than at the start: \/dev\/sdc1/,
    ],
    [
      'no: the disk is at another place',
      '91 22 8:1 / /media/pi/USB1 rw - vfat /dev/sda1 rw',
      /is not at \/media\/pi\/USB any more/,
    ],
  ])('is known when it comes back: %s', async (_, line, wrong) => {
    const machine = new Machine();
    machine.uuids['/dev/sdb1'] = 'BB92-0AA4';
    machine.uuids['/dev/sdc1'] = 'CC00-0AA4';
    const disk = (await KeptDisk.of(root, machine))!;
    machine.mounts.pop();
    expect(await disk.check()).not.toBe(null);
    machine.mounts.push(line);
    const now = await disk.check();
    if (wrong) expect(now).toMatch(wrong);
    else {
      expect(now).toBe(null);
      disk.mustBeThere();
    }
  });

  it('is another one when a disk is mounted over its folder, also of the SD card', async () => {
    const machine = new Machine();
    machine.mounts = [sdCard, '23 22 0:9 / /proc rw - proc proc rw'];
    const disk = (await KeptDisk.of(root, machine))!;
    machine.mounts.push(usbDisk);
    expect(() => disk.mustBeThere()).toThrow('nothing is written');
    expect(await disk.check()).toContain('/dev/sda1 (vfat) is mounted at /media/pi/USB, and not /dev/mmcblk0p2 (ext4)');
    machine.mounts.pop();
    expect(await disk.check()).toBe(null);
  });

  it('of a share is not looked at, since that may hang: the table of mounts is', async () => {
    const machine = new Machine();
    machine.mounts = [sdCard, '87 22 0:50 / /media/pi/USB rw - cifs //nas/data rw'];
    const disk = (await KeptDisk.of(root, machine))!;
    Object.assign(machine, {
      deviceNumber: () => {
        throw new Error('it hangs');
      },
    });
    disk.mustBeThere();
    expect(await disk.check()).toBe(null);
    machine.mounts = [sdCard, '88 22 0:51 / /elsewhere rw - tmpfs tmpfs rw'];
    expect(() => disk.mustBeThere()).toThrow('nothing is written');
  });

  it('is not watched where the system does not tell', async () => {
    const mountInfo = (): string => {
      throw new Error('no /proc');
    };
    expect(await KeptDisk.of(root, Object.assign(new Machine(), { mountInfo }))).toBe(null);
  });
});

describe('the watch over it', () => {
  beforeEach(useStillTime);
  afterEach(() => {
    vi.useRealTimers();
  });

  it('makes a stage rest with an alarm until the disk is back', async () => {
    const machine = new Machine();
    const world = new StageWorld();
    const run = new StageRun<WorldSettings>({ name: 'a' });
    const here$ = device$(await KeptDisk.of(root, machine));
    world.offer('first');
    run.start(world.stage({ ...run.tools, pausedBy$: here$ }));
    await run.until(() => run.count('done') === 1);
    machine.mounts.pop();
    await run.until(() => run.told.at(-1) === 'paused', 250);
    world.offer('second');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([world.settled, run.status('compressor').alarms]).toEqual([['first'], ['wrong_disk']]);
    machine.mounts.push(usbDisk);
    await run.until(() => run.count('done') === 2, 1000);
    expect(run.status('compressor').alarms).toEqual([]);
    run.stop$.next();
    await run.until(() => run.complete);
  });
});
