import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder } from '../../src/files/durableNames.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { wrapFiles } from '../../src/files/wrapFiles.ts';

let outer = '';
let share = '';
beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), 'phorest-under-'));
  share = join(outer, 'share');
  mkdirSync(share);
});
afterEach(() => rmSync(outer, { recursive: true }));

it('folders are made below a share that is there', async () => {
  await makeFolder(nodeFiles, join(share, 'data', '2026'), share);
  expect(existsSync(join(share, 'data', '2026'))).toBe(true);
  await makeFolder(nodeFiles, share, share);
});

it.each(['data', 'data/2026', ''])('a share that is gone is not made again for "%s"', async below => {
  renameSync(share, join(outer, 'away'));
  await expect(makeFolder(nodeFiles, join(share, below), share)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(existsSync(share)).toBe(false);
});

it.each(['stat', 'nameHabit', 'makeFolder'])('nor one that goes in the instant before the call %s', async call => {
  const going = wrapFiles(nodeFiles, async ({ name }, run) => {
    if (name === call && existsSync(share)) renameSync(share, join(outer, 'away'));
    return run();
  });
  await expect(makeFolder(going, join(share, 'data', '2026'), share)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(existsSync(share)).toBe(false);
});
