import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeRoiManifest } from '../../src/cli/writeRoiManifest.ts';

function folderHere(): string {
  const folder = mkdtempSync(join(tmpdir(), 'phorest-rois-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it('a ROI manifest is kept before another one takes its place, once', async () => {
  const folder = folderHere();
  const [file, backup] = [join(folder, 'made', 'ROI_manifest.json'), join(folder, 'backup')];
  expect(await writeRoiManifest(file, 'one', backup)).toBeNull();
  expect(await writeRoiManifest(file, 'one', backup)).toBeNull();
  const kept = await writeRoiManifest(file, 'two', backup);
  expect(readFileSync(kept!, 'utf8')).toBe('one');
  await writeRoiManifest(file, 'one', backup);
  expect(await writeRoiManifest(file, 'three', backup)).toBeNull();
  expect(
    readdirSync(backup)
      .map(name => readFileSync(join(backup, name), 'utf8'))
      .sort(),
  ).toEqual(['one', 'two']);
  expect(readFileSync(file, 'utf8')).toBe('three');
});

it('what stands in its place and can not be read is left as it is', async () => {
  const folder = folderHere();
  const file = join(folder, 'ROI_manifest.json');
  mkdirSync(join(file, 'precious'), { recursive: true });
  await expect(writeRoiManifest(file, 'two', join(folder, 'backup'))).rejects.toThrow(/it is not replaced/);
  expect(readdirSync(file)).toEqual(['precious']);
});
