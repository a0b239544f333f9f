import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readImageFile } from '../../src/image/readImageFile.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-read-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('files of any length, one after the other', async () => {
  const path = join(folder, 'file');
  for (const length of [10, 100_000, 0, 99_999, 3, 1_000_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) % 256);
    await writeFile(path, bytes);
    expect(Buffer.compare(readImageFile(path), bytes)).toBe(0);
  }
});

test('errors of the system stay what they are; what is larger than any image is not read', async () => {
  expect(() => readImageFile(join(folder, 'gone'))).toThrow(
    expect.objectContaining({ code: 'ENOENT', syscall: 'open' }),
  );
  expect(() => readImageFile(folder)).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  const path = join(folder, 'huge');
  await writeFile(path, '');
  await truncate(path, 2 ** 20 + 1);
  expect(() => readImageFile(path, 2 ** 20)).toThrow(expect.objectContaining({ kind: 'bad_image', file: path }));
});
