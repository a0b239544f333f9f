import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { makeReport } from '../../src/cli/makeReport.ts';
import { type ExportOptions, runExport } from '../../src/cli/runExport.ts';
import { showQuantities } from '../../src/cli/showQuantities.ts';
import { showSensing } from '../../src/cli/showSensing.ts';
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

const contextOf = (output: object): CommandContext =>
  ({
    ...{ cwd: root, environment: { XDG_STATE_HOME: join(root, 'state') }, config: join(root, 'my.toml') },
    ...{ root: undefined, output, commands: [] },
  }) as unknown as CommandContext;

function exported(file: string | undefined, options: Partial<ExportOptions> = {}, data = true): Promise<number> {
  said = [];
  const output = {
    line: () => undefined,
    error: (line: string) => said.push(line),
    isTerminal: false,
    data: async () => data,
  };
  return runExport(contextOf(output), file, { shape: 'long', ...options });
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
  await expect(exported('nowhere/a.csv')).rejects.toThrow(/no such folder: .*nowhere; make it first/);
});

it('ends well when nobody reads what goes to the standard output any more', async () => {
  expect(await exported('-', {}, false)).toBe(0);
});

it('quantities and sensing refuse ROIs that are not there as export does, and say which pattern fits none', async () => {
  const told: string[] = [];
  const context = contextOf({ line: () => undefined, text: () => undefined, error: (line: string) => told.push(line) });
  await expect(showQuantities(context, { rois: ['ZZ*'] })).rejects.toMatchObject({
    code: 2,
    message: expect.stringMatching(/^no ROI fits ZZ\*/),
  });
  expect(await showQuantities(context, { rois: ['0A*', 'ZZ*'] })).toBe(0);
  expect(told).toEqual(['no ROI fits ZZ*']);
  await writeFile(join(root, 'results', 'marks.jsonl'), '{"time":"2025-01-01","liquid":"water"}\n');
  await expect(showSensing(context, { rois: ['Z*'] })).rejects.toMatchObject({
    code: 2,
    message: expect.stringMatching(/^no ROI fits Z\*/),
  });
});

it('a report replaces no folder of something else', async () => {
  const context = contextOf({ error: () => undefined });
  await expect(makeReport(context, { out: 'results' })).rejects.toThrow(
    /results has files that are no report: name another/,
  );
  await expect(makeReport(context, { out: 'my.toml' })).rejects.toThrow(/my\.toml is no folder/);
});
