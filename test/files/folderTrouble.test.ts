import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';
import { folderTrouble } from '../../src/files/folderTrouble.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-folder-'));
  await writeFile(join(folder, 'file'), '');
  await symlink(join(folder, 'nowhere'), join(folder, 'dangling'));
  await symlink(join(folder, 'loop'), join(folder, 'loop'));
  await mkdir(join(folder, 'closed'));
  await chmod(join(folder, 'closed'), 0o500);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a folder that can never be written to is refused at once, and nothing is made', () => {
  it.each<[string, () => string, RegExp]>([
    ['below /proc', () => '/proc/nope', /^is in \/proc, where the system keeps no files/],
    ['deep below /proc', () => '/proc/1/nope/deeper', /where the system keeps no files/],
    ['below /sys', () => '/sys/nope', /^is in \/sys/],
    ['below /dev', () => '/dev/nope', /^is in \/dev/],
    ['a device', () => '/dev/null', /^is a file/],
    ['a file', () => join(folder, 'file'), /^is a file, and must be a folder/],
    ['below a file', () => join(folder, 'file', 'data'), /^can't be a folder, since .*file is a file/],
    ['a link to itself', () => join(folder, 'loop', 'x'), /^can't be reached/],
    ['a name of 300 letters', () => join(folder, 'x'.repeat(300)), /^is too long a path/],
    ['a path of 5,000 letters', () => join(folder, 'y/'.repeat(2_500)), /^is too long a path/],
  ])('%s', async (_what, path, reason) => {
    const trouble = await folderTrouble(path());
    expect(trouble?.reason).toMatch(reason);
    expect(trouble?.isPermanent).toBe(true);
  });

  it('a folder that another start makes in the same moment is no trouble', async () => {
    const path = join(folder, 'made');
    for (let i = 0; i < 200; i++) {
      const [trouble] = await Promise.all([folderTrouble(path), mkdir(path)]);
      expect(trouble).toBeNull();
      await rm(path, { recursive: true });
    }
  });

  it('a link that leads nowhere may lead somewhere later, as one to a disk that is not mounted', async () => {
    const trouble = await folderTrouble(join(folder, 'dangling', 'data'));
    expect(trouble).toEqual({
      reason: `is below ${join(folder, 'dangling')}, which is a link that leads nowhere`,
      isPermanent: false,
    });
  });

  it.skipIf(process.getuid?.() === 0)('a folder of somebody else may be mounted over later', async () => {
    const trouble = await folderTrouble(join(folder, 'closed', 'data'));
    expect(trouble?.reason).toMatch(/^can't be made, since .*closed may not be written to by/);
    expect(trouble?.isPermanent).toBe(false);
  });

  it('a good one, there or not, is no trouble', async () => {
    expect(await folderTrouble(folder)).toBeNull();
    expect(await folderTrouble(join(folder, 'a', 'b'))).toBeNull();
    expect(await folderTrouble('/dev/shm/phorest-test')).toBeNull();
    expect((await readdir(folder)).sort()).toEqual(['closed', 'dangling', 'file', 'loop']);
  });
});

it('making a folder below /proc fails and does not go round for ever', async () => {
  await expect(nodeFiles.makeFolder('/proc/nope/data')).rejects.toThrow('ENOENT');
});
