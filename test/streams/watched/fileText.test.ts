import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFileText, readOwnText } from '../../../src/streams/watched/fileText.ts';

describe('a small text', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'phorest-text-'));
    writeFileSync(join(folder, 'secret'), 'hunter2');
    symlinkSync(join(folder, 'secret'), join(folder, 'link'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('of the program itself is not read through a link that somebody has planted', async () => {
    expect(await readOwnText(join(folder, 'link'))).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining('is a link'),
    });
    expect(await readOwnText(join(folder, 'secret'))).toEqual({ kind: 'text', text: 'hunter2' });
  });

  it('of the user may be a link, as its owner has arranged it', async () => {
    expect(await readFileText(join(folder, 'link'))).toEqual({ kind: 'text', text: 'hunter2' });
  });

  it.each([readOwnText, readFileText])(
    'is none in a pipe or a folder, and missing where nothing stands',
    async read => {
      expect(await read(join(folder, 'pipe'))).toMatchObject({ reason: 'is a device or a pipe' });
      expect(await read(folder)).toMatchObject({ reason: 'is a folder' });
      expect(await read(join(folder, 'none'))).toEqual({ kind: 'missing' });
    },
  );
});
