import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { inFrameFolder } from '../../../src/streams/cameras/frameFolder.ts';

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'place-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it('a program has a folder of its own, which is gone afterwards, also when it fails', async () => {
  const only = place();
  const seen = await inFrameFolder(
    async folder => {
      writeFileSync(join(folder, 'frame'), 'x');
      return folder;
    },
    [only],
  );
  await expect(inFrameFolder(() => Promise.reject(new Error('no frame')), [only])).rejects.toThrow('no frame');
  expect(seen.startsWith(only)).toBe(true);
  expect(readdirSync(only)).toEqual([]);
});

it('a place that is not there, or has no room, is passed over', async () => {
  const last = place();
  await inFrameFolder(async folder => expect(folder.startsWith(last)).toBe(true), ['/nowhere', '/proc', last]);
});

it('what a killed process has left is removed, and nothing of others', async () => {
  const only = place();
  const names = {
    left: 'phorest-frame_4194999_aB3xYz',
    young: 'phorest-frame_4194998_aB3xYz',
    alive: `phorest-frame_${process.pid}_aB3xYz`,
    other: 'phorest-other',
  };
  const long = new Date(Date.now() - 2 * 3_600_000);
  for (const name of Object.values(names)) {
    mkdirSync(join(only, name));
    writeFileSync(join(only, name, 'frame'), 'x');
    if (name !== names.young) utimesSync(join(only, name), long, long);
  }
  await inFrameFolder(async () => undefined, [only]);
  const isThere = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, existsSync(join(only, name))]));
  expect(isThere).toEqual({ left: false, young: true, alive: true, other: true });
});
