import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { confinedFiles } from '../../src/files/confinedFiles.ts';
import { nodeFiles, type OpenFlags } from '../../src/files/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'phorest-planted-'));
const canary = join(folder, 'canary');
const dangling = join(folder, 'made-through-a-link');
const name = join(folder, 'ours', 'name');

beforeEach(() => {
  rmSync(folder, { recursive: true });
  mkdirSync(join(folder, 'ours'), { recursive: true });
  writeFileSync(canary, 'canary\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What somebody may have put under a name. */
const planted = {
  'a link to a file': () => symlinkSync(canary, name),
  'a link to nothing': () => symlinkSync(dangling, name),
  'a link to itself': () => symlinkSync(name, name),
  'a pipe': () => execFileSync('mkfifo', [name]),
  'a second name of a file (hard link)': () => linkSync(canary, name),
};
const inPlace: readonly OpenFlags[] = ['r+', 'a', 'a+'];

describe('the real file system', () => {
  for (const [what, plant] of Object.entries(planted)) {
    for (const flags of [...inPlace, 'wx', 'r'] as const) {
      if (flags === 'r' && what.startsWith('a second name')) continue;
      it(`refuses to open ${what} (${flags}), names it, and leaves alone what it leads to`, async () => {
        plant();
        await expect(nodeFiles.open(name, flags)).rejects.toMatchObject({
          code: flags === 'wx' ? 'EEXIST' : expect.stringMatching(/^(ELOOP|EFTYPE|EMLINK)$/),
          message: expect.stringContaining(name),
        });
        expect(readFileSync(canary, 'utf8')).toBe('canary\n');
        expect(existsSync(dangling)).toBe(false);
      });
    }
  }

  it('tells that a link stands under a name, also one to nothing, and what a link to a folder is', async () => {
    symlinkSync(dangling, name);
    expect(await nodeFiles.stat(name)).toMatchObject({ strange: 'link', isFolder: false });
    symlinkSync(folder, `${name}-folder`);
    expect(await nodeFiles.stat(`${name}-folder`)).toMatchObject({ strange: 'link', isFolder: true });
  });
});

describe('files that are confined to a folder', () => {
  const files = confinedFiles(nodeFiles, [join(folder, 'ours')]);
  const inside = join(folder, 'ours', 'day', 'image');

  const calls: Record<string, () => Promise<unknown>> = {
    'open a file': () => files.open(inside, 'wx'),
    'read a file': () => files.open(inside, 'r'),
    'make folders': () => files.makeFolder(join(inside, 'deeper')),
    'rename from there': () => files.rename(inside, name),
    'rename to there': () => files.rename(name, inside),
    'remove a file': () => files.remove(inside),
    'read past the cache': () => files.openUncached!(inside),
  };
  for (const [what, call] of Object.entries(calls)) {
    it(`do not ${what} through a link that stands for a folder`, async () => {
      mkdirSync(join(folder, 'elsewhere'));
      writeFileSync(join(folder, 'elsewhere', 'image'), 'canary\n');
      writeFileSync(name, 'ours\n');
      symlinkSync(join(folder, 'elsewhere'), join(folder, 'ours', 'day'));
      await expect(call()).rejects.toMatchObject({
        code: 'ELOOP',
        message: expect.stringContaining(join(folder, 'ours', 'day')),
      });
      expect(readdirSync(join(folder, 'elsewhere'))).toEqual(['image']);
      expect(readFileSync(join(folder, 'elsewhere', 'image'), 'utf8')).toBe('canary\n');
    });
  }

  it('work where the folder itself is a link, as its owner has arranged it', async () => {
    symlinkSync(join(folder, 'ours'), join(folder, 'mounted'));
    const linked = confinedFiles(nodeFiles, [join(folder, 'mounted')]);
    await linked.makeFolder(join(folder, 'mounted', 'day', 'deeper'));
    await (await linked.open(join(folder, 'mounted', 'day', 'image'), 'wx')).close();
    expect(readdirSync(join(folder, 'ours', 'day')).sort()).toEqual(['deeper', 'image']);
  });
});
