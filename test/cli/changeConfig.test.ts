import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { changeConfig } from '../../src/cli/changeConfig.ts';
import { exampleToml } from '../../src/config/exampleToml.ts';

const edits = [{ path: ['Camera', 'camera_exposure'], value: 0.02 }];
const chosen = (path: string, required = true) => ({ path, shown: 'my.toml', required });

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-change-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('changing the configuration file', () => {
  it('says what differs, and leaves nothing beside a file that is as it was but for the key', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'my.toml');
    await writeFile(path, '# mine\n[Camera]\ncamera_exposure = 150 # long\n');
    await chmod(path, 0o660);
    expect(await changeConfig(chosen(path), edits)).toEqual(['Camera.camera_exposure 150 → 0.02']);
    expect(await readFile(path, 'utf8')).toBe('# mine\n[Camera]\ncamera_exposure = 0.02 # long\n');
    expect((await stat(path)).mode & 0o777).toBe(0o660);
    expect(await readdir(folder)).toEqual(['my.toml']);
    expect(await changeConfig(chosen(path), edits)).toEqual([]);
  });

  it('keeps a link, and changes the file that it leads to', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'real'));
    await writeFile(join(folder, 'real/a.toml'), '[Camera]\n');
    await symlink('real/a.toml', join(folder, 'my.toml'));
    await changeConfig(chosen(join(folder, 'my.toml')), edits);
    expect((await lstat(join(folder, 'my.toml'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(folder, 'real/a.toml'), 'utf8')).toBe('[Camera]\ncamera_exposure = 0.02\n');
  });

  it('makes the shipped file, with the change in it, where nobody named one and there is none', async () => {
    const path = join(await temporaryFolder(), 'configs/Phorest_config.toml');
    await changeConfig(chosen(path, false), edits);
    expect(await readFile(path, 'utf8')).toBe(exampleToml().replace('camera_exposure = 150', 'camera_exposure = 0.02'));
  });

  it.each([
    ['that is bad already', '[Camera]\ncamera_gain = "much"\n', edits, 'my.toml:2:15: Camera.camera_gain is "much"'],
    [
      'for a value that may not be',
      '[Camera]\n',
      [{ path: ['Camera', 'camera_type'], value: 'x' }],
      'camera_type is "x"',
    ],
    ['that is no TOML', '[Camera\n', edits, 'write [Camera]'],
    ['that is empty', '', edits, 'the file is empty'],
  ])('writes nothing to a file %s', async (_what, text, wrong, message) => {
    const path = join(await temporaryFolder(), 'my.toml');
    await writeFile(path, text);
    await expect(changeConfig(chosen(path), wrong)).rejects.toThrow(message);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('makes no file that somebody has named and that is not there', async () => {
    await expect(changeConfig(chosen(join(await temporaryFolder(), 'my.toml')), edits)).rejects.toThrow(
      'there is no such file',
    );
  });
});
