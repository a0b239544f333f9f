import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { setZero } from '../../src/cli/setZero.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { SeriesWriter } from '../../src/sinks/series/seriesWriter.ts';
import { sampleResult } from '../sinks/sampleResult.ts';

/** Forty images, a minute apart, of an experiment whose configuration has a comment. */
async function prepare() {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-zero-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const config = join(folder, 'c.toml');
  await writeFile(config, `[Paths]\nroot_dir = "${folder}/run" # mine\n`);
  const series = join(folder, 'run', 'results', 'series');
  const writer = await SeriesWriter.open({ folder: series, files: nodeFiles, sensors: [], warn: expect.fail });
  const times = Array.from({ length: 40 }, (_, i) => `2026-11-28T14:${String(i).padStart(2, '0')}:00.250`);
  await writer.append(times.map((timestamp, i) => sampleResult({ id: `e${i}`, timestamp, shift: 1 })));
  const said: string[] = [];
  const output = { line: (line: string) => said.push(line), error: (line: string) => said.push(line) };
  const context: CommandContext = {
    cwd: folder,
    environment: { XDG_STATE_HOME: join(folder, 'state') },
    config,
    root: undefined,
    output: output as unknown as CommandContext['output'],
    commands: [],
  };
  const zero = async (): Promise<string[]> =>
    (await readFile(config, 'utf8')).split('\n').filter(line => line.startsWith('zero_'));
  return { context, said, zero, text: () => readFile(config, 'utf8') };
}

it('zero writes the time of the last images into the configuration, and --off takes it out; the rest stays as it was', async () => {
  const { context, said, zero, text } = await prepare();
  expect(await setZero(context, {})).toBe(0);
  expect(await zero()).toEqual(['zero_from = "2026-11-28T14:25:00.250000"', 'zero_to = "2026-11-28T14:39:00.251000"']);
  expect(said[0]).toBe(
    'second zero beside the reference: the mean of each shift from 2026-11-28 14:25:00.250000 to 2026-11-28 14:39:00.251000',
  );
  await setZero(context, { last: 5 * 60_000 });
  expect((await zero())[0]).toBe('zero_from = "2026-11-28T14:34:00.250000"');
  await setZero(context, { off: true });
  expect(await zero()).toEqual(['zero_from = ""', 'zero_to = ""']);
  expect(await text()).toContain('run" # mine');
});

it.each([
  // The minute that is named last counts whole.
  [{ from: '2026-11-28T14:10', to: '2026-11-28T14:20' }, '2026-11-28T14:10:00.250000', '2026-11-28T14:21:00.000000'],
  [{ from: '2026-11-28T14:10' }, '2026-11-28T14:10:00.250000', '2026-11-28T14:39:00.251000'],
])('zero of a time that was named: %o', async (options, from, to) => {
  const { context, zero } = await prepare();
  await setZero(context, options);
  expect(await zero()).toEqual([`zero_from = "${from}"`, `zero_to = "${to}"`]);
});

it.each([
  [{ from: '2027-01-01' }, 'no image in'],
  [{ from: 'noon' }, 'noon'],
  [{ from: '2026-11-28', last: 60_000 }, '--last says which time it is'],
])('zero of %o says what is wrong and writes nothing', async (options, message) => {
  const { context, zero } = await prepare();
  await expect(setZero(context, options)).rejects.toThrow(message);
  expect(await zero()).toEqual([]);
});
