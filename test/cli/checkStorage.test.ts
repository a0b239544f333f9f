import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkStorage } from '../../src/cli/checkStorage.ts';
import type { StorageSystem } from '../../src/cli/storageSystem.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { resolvePaths } from '../../src/config/resolvePaths.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { markerName } from '../../src/share/shareMarker.ts';
import { ShareRecord } from '../../src/share/shareRecord.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-storage-'));
  await mkdir(join(folder, 'usb'));
  await mkdir(join(folder, 'share'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const card = '1 0 179:2 / / rw - ext4 /dev/mmcblk0p2 rw';
const usb = (): string => `2 1 8:1 / ${folder}/usb rw,noatime - ext4 /dev/sda1 rw`;
const share = (options = 'rw,uid=0'): string => `3 1 0:9 / ${folder}/share ${options} - cifs //server/lab rw`;

interface World {
  mounts?: string[];
  system?: Partial<StorageSystem>;
  toml?: string;
  /** `remote_root_dir`. */
  remote?: string;
}

/** Levels and messages, with the temporary folder's name taken out. */
async function found({ mounts = [card, usb()], system = {}, toml = '', remote = 'share/run' }: World = {}) {
  const text = `Paths.root_dir = "usb/run"\nPaths.remote_root_dir = "${remote}"\n${toml}`;
  const { config } = parseConfig(text, 'c.toml');
  const paths = resolvePaths(config, { cwd: folder, configFile: join(folder, 'c.toml'), exists: () => false });
  let now = 0;
  const check = await checkStorage(
    { config, paths },
    {
      devices: {
        mountInfo: () => mounts.join('\n'),
        deviceOf: async uuid => (uuid.toUpperCase() === 'BB92-0AA4' ? '/dev/sda1' : null),
        realPath: nodeFiles.realPath!,
      },
      uuidOf: async device => (device === '/dev/sda1' ? 'BB92-0AA4' : null),
      fstab: () => null,
      space: async () => ({ free: 1e6, size: 400e9 }),
      files: nodeFiles,
      clock: { now: () => now++, monotonic: () => now++ },
      uid: 0,
      gid: 0,
      patienceMs: 60_000,
      ...system,
    },
  );
  const said = check.findings.map(({ level, about, message }) =>
    `${level}: ${about}: ${message}`.replaceAll(folder, ''),
  );
  return { ...check, said, wrong: said.filter(each => !each.startsWith('ok')) };
}
const sync = 'Services.enable_remote_sync = true\n';

describe('the disk of an experiment', () => {
  it('is told with device, UUID, options, what is on it, space and speed; nothing is left behind', async () => {
    const { said, wrong } = await found({
      toml: 'Storage.usb_uuid = "bb92-0aa4"\n',
      system: { space: async () => ({ free: 90e6, size: 400e9 }) },
    });
    expect(said).toContain(
      'ok: /usb: /usb is /dev/sda1 (ext4, UUID BB92-0AA4), mounted with rw,noatime: root, data, results, logs, flags are on it',
    );
    expect(said.join('\n')).toMatch(/^ok: \/usb: it takes .* a second; an fsync takes 1 ms, at worst 1 ms$/m);
    expect(said.join('\n')).toMatch(/^ok: \/usb\/run: \/usb\/run is on the disk with the UUID bb92-0aa4/m);
    expect(wrong).toEqual([]);
    expect(await readdir(join(folder, 'usb'))).toEqual([]);
  });

  it('that nothing would notice the loss of gets the line to write', async () => {
    expect((await found()).wrong.join()).toContain('set usb_uuid = "BB92-0AA4" in [Storage]');
  });

  it('that is another one than Storage.usb_uuid names is an error', async () => {
    const { wrong } = await found({ mounts: [card], toml: 'Storage.usb_uuid = "BB92-0AA4"\n' });
    expect(wrong.join('\n')).toMatch(/^error: \/usb\/run: \/usb\/run is on \/dev\/mmcblk0p2 .* mount that one there$/m);
  });

  it('of which a part lies on another one is told apart', async () => {
    const logs = `4 1 8:2 / ${folder}/logs rw - vfat /dev/sdb1 rw`;
    await mkdir(join(folder, 'logs'));
    const { said } = await found({ mounts: [card, usb(), logs], toml: `Paths.logs_dir = "${folder}/logs"\n` });
    expect(said.join('\n')).toMatch(/\/usb is .*: root, data, results, flags are on it$/m);
    expect(said.join('\n')).toMatch(/\/logs is \/dev\/sdb1 \(vfat\), .*: logs are on it$/m);
  });

  it.each([
    [
      'is smaller than what must stay free',
      '500 GB',
      '',
      'error: /usb: Buffer.min_free_disk is 500 GB, and the whole disk has 400 GB',
    ],
    [
      'is full, and all images are kept',
      '5 GB',
      'Buffer.image_buffer_size = 0\n',
      'error: /usb: 1 MB of 400 GB are free, and 5 GB must stay free',
    ],
    [
      'is full, and old images may go',
      '5 GB',
      'Buffer.image_buffer_size = 9\n',
      'warning: /usb: 1 MB of 400 GB are free',
    ],
  ])('that %s', async (_, minFree, more, says) => {
    const { wrong } = await found({ toml: `Buffer.min_free_disk = "${minFree}"\n${more}` });
    expect(wrong.join('\n')).toContain(says);
  });

  it('with few file names left is warned of', async () => {
    const space = async () => ({ free: 9e9, size: 400e9, names: { free: 200, size: 1e6 } });
    expect((await found({ system: { space } })).wrong.join()).toContain('only 200 file names (inodes) are free');
  });

  it.each([
    [50, 'ok'],
    [250, 'warning'],
    [1000, 'error'],
  ])('whose fsync takes %i ms is %s for a frame each 5 s', async (ms, level) => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => (now += ms) };
    const toml = 'Services.enable_camera = true\nTiming.collector_interval_seconds = 5\n';
    const { said } = await found({ toml, system: { clock } });
    const about = said.find(each => each.includes('an fsync takes'))!;
    expect(about).toMatch(new RegExp(`^${level}: `));
    expect(about.includes('Take a faster disk')).toBe(level !== 'ok');
  });

  it.each([
    ['lasts for weeks', 2e3, 400e9, 'ok', 'an image has 2 kB, and one is due every 5 s: what is free lasts for'],
    [
      'is soon full, since nothing is deleted',
      200e3,
      2e9,
      'warning',
      'what is free lasts for 13 h 53 min. Take a larger disk',
    ],
  ])('that %s', async (_, size, free, level, says) => {
    const day = join(folder, 'usb', 'run', 'data', '20260101');
    await mkdir(day, { recursive: true });
    await writeFile(join(day, 'image_20260101_000000_000000_cam0.png'), Buffer.alloc(size));
    const toml = 'Services.enable_camera = true\nTiming.collector_interval_seconds = 5\nBuffer.image_buffer_size = 0\n';
    const space = async () => ({ free, size: 400e9 });
    const { said } = await found({ toml, system: { space } });
    expect(said.find(each => each.includes('lasts'))).toMatch(new RegExp(`^${level}: /usb: `));
    expect(said.find(each => each.includes('lasts'))).toContain(says);
  });

  it('that does not answer is told after a while, and the rest all the same', async () => {
    const system = { patienceMs: 5, space: () => new Promise<never>(() => undefined) };
    const { isStuck, wrong, said } = await found({ system });
    expect(isStuck).toBe(true);
    expect(wrong[0]).toMatch(/^error: \/usb: it has not answered for 10 ms/);
    expect(said.at(-1)).toMatch(/no share is used/);
  });

  it('that can not be looked at is an error with its message', async () => {
    const space = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
    expect((await found({ system: { space } })).wrong[0]).toBe("error: /usb: it can't be looked at: EIO: i/o error");
  });

  it('is not known where the system does not tell, which is said', async () => {
    const mountInfo = (): string => {
      throw new Error('no /proc');
    };
    const devices = { mountInfo, deviceOf: async () => null, realPath: nodeFiles.realPath! };
    expect((await found({ system: { devices } })).wrong[0]).toMatch(/the system does not tell which disk/);
  });
});

describe('the share', () => {
  it('that is mounted is told with type, options, space and speed; nothing is left there', async () => {
    await mkdir(join(folder, 'share', 'run'));
    const { said, wrong } = await found({
      mounts: [card, usb(), share()],
      toml: `${sync}Storage.usb_uuid = "BB92-0AA4"\nBuffer.min_free_disk = "0 B"\n`,
      system: { space: async () => ({ free: 100e6, size: 400e9 }) },
    });
    expect(wrong).toEqual([]);
    expect(said).toContain('ok: /share/run: 100 MB of 400 GB are free');
    expect(said).toContain('ok: /share: cifs: //server/lab is mounted there');
    expect(said.at(-1)).toMatch(/^ok: \/share\/run: this user may write there: it takes/);
    expect(await readdir(join(folder, 'share', 'run'))).toEqual([]);
  });

  it('that is not mounted, so that copies would land on the system disk, is an error', async () => {
    const { wrong } = await found({ mounts: [card, usb().replace('/usb ', '/elsewhere ')], toml: sync });
    expect(wrong.join('\n')).toMatch(/^error: \/share\/run: no share is mounted there: it is on \/dev\/mmcblk0p2/m);
  });

  it.each([
    ['is away', null, 'it has no marker of the share'],
    ['is another one', 'other', 'another share is there'],
  ])('that was used before and %s is an error', async (_, marker, says) => {
    await mkdir(join(folder, 'share', 'run'));
    await mkdir(join(folder, 'usb', 'run', 'flags'), { recursive: true });
    const record = new ShareRecord(join(folder, 'usb', 'run', 'flags'), nodeFiles);
    await record.remember(join(folder, 'share', 'run'), 'ours', '2026-01-01T00:00:00Z');
    if (marker) await writeFile(join(folder, 'share', 'run', markerName), JSON.stringify({ share_id: marker }));
    const { wrong } = await found({ mounts: [card, usb(), share()], toml: sync });
    expect(wrong.at(-1)).toContain(`error: /share/run: ${says} that this experiment was copied to before`);
  });

  it('in which there is no folder for its own is an error', async () => {
    const { wrong } = await found({
      mounts: [card, usb(), share()],
      toml: sync,
      remote: 'share/lab/run',
    });
    expect(wrong.at(-1)).toContain('error: /share/lab/run: /share/lab is not there, in which its folder would be made');
  });

  it('that keeps writes in a cache of its own is warned of', async () => {
    const cached = share().replace('cifs //server/lab', 'fuse.rclone gdrive:');
    const { wrong } = await found({ mounts: [card, usb(), cached], toml: sync });
    expect(wrong.join()).toContain('which writes to a cache of its own');
  });

  it('that does not answer is told after a while', async () => {
    const realPath = (path: string): Promise<string> =>
      path.includes('/share') ? new Promise<never>(() => undefined) : nodeFiles.realPath!(path);
    const devices = { mountInfo: () => [card, usb(), share()].join('\n'), deviceOf: async () => null, realPath };
    const { isStuck, wrong } = await found({ toml: sync, system: { devices, patienceMs: 20 } });
    expect(isStuck).toBe(true);
    expect(wrong.at(-1)).toMatch(/^error: \/share\/run: it has not answered/);
  });
});
