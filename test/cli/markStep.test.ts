import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { type MarkOptions, runMark } from '../../src/cli/markStep.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { SeriesWriter } from '../../src/sinks/series/seriesWriter.ts';
import { readRunMarks } from '../../src/streams/console/runMarks.ts';
import { sampleResult } from '../sinks/sampleResult.ts';

const now = new Date(2026, 10, 29, 1, 6).getTime();

/** An experiment whose first image is of 22:00 on the evening before. */
async function prepare() {
  const root = await mkdtemp(join(tmpdir(), 'phorest-mark-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const folder = join(root, 'results', 'series');
  const writer = await SeriesWriter.open({ folder, files: nodeFiles, sensors: [], warn: expect.fail });
  await writer.append([sampleResult({ id: 'e0', timestamp: '2026-11-28T22:00:00', shift: 1 })]);
  const said: string[] = [];
  const say = (line: string): unknown => said.push(line);
  const context = (at: string): CommandContext => ({
    cwd: root,
    environment: { XDG_STATE_HOME: join(root, 'state') },
    config: undefined,
    root: at,
    output: { line: say, error: say, text: say } as unknown as CommandContext['output'],
    commands: [],
  });
  let later = 0;
  return {
    root,
    said,
    mark: (liquid?: string, options: MarkOptions = {}, at = root) =>
      runMark(context(at), liquid, options, now + later++),
    charted: async () =>
      readRunMarks(await readFile(join(root, 'logs', 'audit.jsonl'), 'utf8')).map(({ text }) => text),
  };
}

describe('mark', () => {
  it('takes a time of day that is to come for that of yesterday where the run was on then', async () => {
    const { mark, said } = await prepare();
    await mark('buffer', { at: '23:58' });
    await mark('water', { at: '1:05' });
    await mark('oil', { at: '2026-11-28 20:00' });
    expect(said).toEqual(['2026-11-28 23:58: buffer', '2026-11-29 01:05: water', '2026-11-28 20:00: oil']);
    await expect(mark('buffer', { at: '21:58' })).rejects.toThrow(
      '"21:58" is still to come today, and the run was not on',
    );
    await expect(mark('buffer', { at: '2026-11-29T01:07' })).rejects.toThrow('is still to come');
    await expect(mark('buffer', { at: '24:10' })).rejects.toThrow('is no time');
  });

  it('is listed, and taken back by its number or its liquid, also on the chart', async () => {
    const { mark, said, charted } = await prepare();
    for (const at of ['23:00', '23:10', '23:20']) await mark(at === '23:10' ? 'ethanol 10 %' : 'water', { at });
    said.length = 0;
    await expect(mark(undefined, { remove: 'water' })).rejects.toThrow('several marks are called "water": 1 (');
    await expect(mark(undefined, { remove: '4' })).rejects.toThrow('no mark has the number or the liquid "4"');
    await expect(mark('x', { list: true })).rejects.toThrow('go alone');
    await mark(undefined, { remove: '3' });
    await mark(undefined, { remove: 'ethanol 10 %' });
    await mark(undefined, { list: true });
    expect(said.slice(0, 2)).toEqual([
      'taken back: 2026-11-28 23:20: water',
      'taken back: 2026-11-28 23:10: ethanol 10 %',
    ]);
    expect(said[2]).toMatch(/1 +2026-11-28 23:00 +water/);
    expect(said[2]).not.toMatch(/ethanol|23:20/);
    expect(await charted()).toEqual(['water']);
  });

  it('makes no folder of a mistyped name, and no experiment of another folder', async () => {
    const { mark, root } = await prepare();
    await expect(mark('x', {}, join(root, 'nope'))).rejects.toThrow(`no such folder: ${join(root, 'nope')}`);
    await expect(nodeFiles.stat(join(root, 'nope'))).resolves.toBeNull();
    await expect(mark('x', {}, join(root, 'results'))).rejects.toThrow('holds no experiment');
  });
});
