import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completePath, expandHome } from '../../src/cli/completePath.ts';

describe('what a path may go on with', () => {
  let cwd = '';
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'phorest-complete-'));
    for (const folder of ['run_2', 'run_10', 'other', '.hidden']) await mkdir(join(cwd, folder));
    for (const file of ['run_2/a.tif', 'run_2/b.PNG', 'run_2/notes.txt', 'run.json', 'run.txt', 'run_10/c.tif.zst'])
      await writeFile(join(cwd, file), '');
    await symlink(join(cwd, 'run_2'), join(cwd, 'run_link'));
  });
  afterAll(() => rm(cwd, { recursive: true, force: true }));

  it.each([
    ['folder', '', ['other/', 'run_2/', 'run_10/', 'run_link/']],
    ['folder', 'run', ['run_2/', 'run_10/', 'run_link/']],
    ['folder', '.h', ['.hidden/']],
    ['folder', './ru', ['./run_2/', './run_10/', './run_link/']],
    ['folder', 'nowhere/x', []],
    ['rois', 'run', ['run_2/', 'run_10/', 'run_link/', 'run.json']],
  ] as const)('for the %s %j', async (field, text, items) => {
    const found = await completePath(field, text, cwd);
    expect([...found.items].sort()).toEqual([...items].sort());
    expect(found).toMatchObject({ field, text });
  });

  it('counts the images of a folder that is there', async () => {
    expect((await completePath('folder', 'run_2', cwd)).said).toBe('2 images');
    expect((await completePath('folder', 'run_10/', cwd)).said).toBe('1 image');
    expect((await completePath('folder', 'other', cwd)).said).toBe('0 images');
    expect((await completePath('folder', 'nowhere', cwd)).said).toBe('');
    expect((await completePath('rois', 'run_2', cwd)).said).toBe('');
  });

  it("takes a tilde for the user's own folder, as a shell would", () => {
    expect([expandHome('~'), expandHome('~/x'), expandHome('~x'), expandHome('a/~/b')]).toEqual([
      homedir(),
      `${homedir()}/x`,
      '~x',
      'a/~/b',
    ]);
  });
});
