import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { imageBombs } from './imageBombs.ts';

const limit = 512 << 20;

test.skipIf(process.platform !== 'linux')(
  'small files that ask for gigabytes, and files that never end, fail with a reason, within the memory that an image may take',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'phorest-bombs-'));
    try {
      const bombs = imageBombs();
      for (const [name, { bytes, length }] of Object.entries(bombs)) {
        await writeFile(join(folder, name), bytes);
        if (length !== undefined) await truncate(join(folder, name), length);
      }
      const program = join(import.meta.dirname, 'decodeProgram.ts');
      const { stdout } = await promisify(execFile)(process.execPath, [program, folder, String(limit)]);
      const { said, grown } = JSON.parse(stdout) as { said: Record<string, string>; grown: number };
      for (const [name, { says }] of Object.entries(bombs)) {
        expect(said[name]).toMatch(says);
        expect(said[name]).toContain(join(folder, name));
        expect(said[name]).not.toContain('\n');
      }
      // One of them may take all that it may before it is known to be more.
      expect(grown).toBeLessThan(1.2 * limit);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
