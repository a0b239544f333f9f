import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phorest-uncached-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('reads past the cache what stands there, from any place and of any length, whatever the file system wants', async () => {
  const path = join(folder, 'file');
  const bytes = randomBytes(300_001);
  writeFileSync(path, bytes);
  const file = await nodeFiles.openUncached!(path);
  try {
    for (const [position, length] of [
      [0, 4096],
      [0, 300_001],
      [7, 100],
      [299_000, 5000],
      [300_001, 10],
    ] as const) {
      const into = Buffer.alloc(length);
      const read = await file.read(into, position);
      expect(into.subarray(0, read).equals(bytes.subarray(position, position + length))).toBe(true);
    }
    expect(await file.size()).toBe(300_001);
  } finally {
    await file.close();
  }
});

it('says which file is not there', async () => {
  await expect(nodeFiles.openUncached!(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
