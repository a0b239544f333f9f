import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Files, nodeFiles } from '../../src/files/files.ts';
import { removeTemporaries } from '../../src/files/removeTemporaries.ts';

const onAShare: Files = { ...nodeFiles, nameHabit: async () => 'unknown' };

test.each([
  ['on a disk that may be shared', onAShare, ['left']],
  ['on a disk of this machine, young ones too: a power cut may just have left them', nodeFiles, ['left', 'young']],
] as const)('temporary files of processes that are gone are removed: %s', async (_where, files, removed) => {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-temporaries-'));
  try {
    const names = {
      left: 'stages.json.77-0123abcd.tmp',
      young: 'stages.json.77-89abcdef.tmp',
      living: 'stages.json.12-0123abcd.tmp',
      other: 'stages.json',
      foreign: 'picture.tmp',
    };
    for (const name of Object.values(names)) await writeFile(join(folder, name), '');
    const now = Date.now();
    for (const name of [names.left, names.living, names.other, names.foreign]) {
      await utimes(join(folder, name), new Date(now - 3_600_000), new Date(now - 3_600_000));
    }
    await removeTemporaries(files, folder, pid => pid === 12, now);
    expect((await readdir(folder)).toSorted()).toEqual(
      Object.values(names)
        .filter(name => !removed.some(one => names[one] === name))
        .toSorted(),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a folder that is not there has nothing to remove', async () => {
  await expect(removeTemporaries(nodeFiles, '/nowhere/at/all', () => false, 0)).resolves.toBeUndefined();
});
