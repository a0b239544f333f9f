import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { type ExportOptions, runExport } from '../../src/cli/runExport.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { sampleResult } from '../sinks/sampleResult.ts';
import { writeSeries } from '../sinks/series/writeSeries.ts';

let root: string;
let said: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'phorest-export-'));
  await writeFile(join(root, 'my.toml'), `[Paths]\nroot_dir = ${JSON.stringify(root)}\n`);
  const image = (id: string) => sampleResult({ id, labels: ['0A_N', '0B_N'], shift: 1 });
  await writeSeries(nodeFiles, join(root, 'results', 'series'), [image('a'), image('b')]);
});
afterAll(() => rm(root, { recursive: true, force: true }));

function exported(file: string | undefined, options: Partial<ExportOptions> = {}, data = true): Promise<number> {
  said = [];
  const output = {
    line: () => undefined,
    error: (line: string) => said.push(line),
    isTerminal: false,
    data: async () => data,
  };
  const environment = { XDG_STATE_HOME: join(root, 'state') };
  const context = { cwd: root, environment, config: join(root, 'my.toml'), root: undefined, output, commands: [] };
  return runExport(context as unknown as CommandContext, file, { shape: 'long', ...options });
}

it('says which pattern fits no ROI, and is wrong use where none does', async () => {
  expect(await exported('some.csv', { rois: ['0A*', 'Z*'] })).toBe(0);
  expect(said).toEqual(['no ROI fits Z*']);
  expect((await readFile(join(root, 'some.csv'), 'utf8')).split('\n')).toHaveLength(4);
  await expect(exported('none.csv', { rois: ['Z*'] })).rejects.toMatchObject({
    code: 2,
    message: 'no ROI fits Z*; their labels are 0A_N, 0B_N: nothing is exported',
  });
  await expect(exported('none.csv', { from: '2030-01-01' })).rejects.toMatchObject({ code: 2 });
  expect(await readdir(root)).not.toContain('none.csv');
});

it('replaces a file only when told to, and asks for a folder that is not there', async () => {
  await writeFile(join(root, 'mine.csv'), 'mine');
  await expect(exported('mine.csv')).rejects.toThrow(/mine\.csv is there already/);
  expect(await readFile(join(root, 'mine.csv'), 'utf8')).toBe('mine');
  expect(await exported('mine.csv', { force: true })).toBe(0);
  await expect(exported('nowhere/a.csv')).rejects.toThrow(/nowhere is not there: make the folder first/);
});

it('ends well when nobody reads what goes to the standard output any more', async () => {
  expect(await exported('-', {}, false)).toBe(0);
});
