import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';
import { syncFiles } from '../../src/operators/syncer/syncFiles.ts';

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phorest-places-'));
  for (const name of ['results', 'flags', 'elsewhere']) mkdirSync(at(name));
  writeFileSync(at('elsewhere/private.toml'), 'a = 1\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a configured file or folder that is a link is copied, as what it leads to', async () => {
  writeFileSync(at('elsewhere/table.csv'), 'a\n');
  symlinkSync(at('elsewhere/private.toml'), at('rois.json'));
  symlinkSync(at('elsewhere'), at('linked-results'));
  const { found } = await syncFiles(
    [
      { local: at('rois.json'), remote: 'generated/rois.json' },
      { local: at('linked-results'), remote: 'results' },
    ],
    nodeFiles,
  );
  expect(found.map(({ local, remote, kind }) => [local, remote, kind])).toEqual([
    [at('elsewhere/private.toml'), 'generated/rois.json', 'replaced'],
    [at('linked-results/private.toml'), 'results/private.toml', 'replaced'],
    [at('linked-results/table.csv'), 'results/table.csv', 'grown'],
  ]);
});

it('a link in a folder is not gone into, and to copy it is an error that names it', async () => {
  symlinkSync(at('elsewhere'), at('results/folder'));
  symlinkSync(at('elsewhere/private.toml'), at('results/file.toml'));
  const { found } = await syncFiles([{ local: at('results'), remote: 'results' }], nodeFiles);
  expect(found.map(({ remote }) => remote)).toEqual(['results/file.toml', 'results/folder']);
  for (const { local } of found) await expect(nodeFiles.open(local, 'r')).rejects.toThrow(`${local} is a link`);
});

it.each([
  ['nothing', 'made-through-a-link'],
  ['a file', 'elsewhere/private.toml'],
])(
  'a link to %s in the place of the public copy of the configuration is replaced, and leads nowhere',
  async (_to, name) => {
    writeFileSync(at('my.toml'), '[Alarms]\nwebhook = "https://secret"\n');
    symlinkSync(at(name), at('flags/public.toml'));
    const place = { local: at('my.toml'), remote: 'configs/my.toml', publicCopy: at('flags/public.toml') };
    const { found } = await syncFiles([place], nodeFiles);
    expect(found).toMatchObject([{ local: at('flags/public.toml') }]);
    expect((await nodeFiles.stat(at('flags/public.toml')))?.strange).toBe(undefined);
    expect((await nodeFiles.stat(at('elsewhere/private.toml')))?.size).toBe(6);
    expect(await nodeFiles.stat(at('made-through-a-link'))).toBe(null);
  },
);
