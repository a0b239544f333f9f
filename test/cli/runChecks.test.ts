import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { type Checked, runChecks } from '../../src/cli/runChecks.ts';

async function lines(what: Checked): Promise<Record<string, unknown>[]> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-checks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'c.toml');
  const toml = `Paths.root_dir = "run"\nServices.enable_camera = true\nCamera.camera_type = "simulated"\nSimulator.preset = "small"\n`;
  await writeFile(config, toml);
  const json: string[] = [];
  const output = { json: (line: string) => json.push(line) } as unknown as CommandContext['output'];
  const context = { cwd: folder, environment: { PATH: '/bin' }, config, root: undefined, output, commands: [] };
  const code = await runChecks(context, what, { json: true });
  const found = json.map(line => JSON.parse(line) as Record<string, unknown>);
  expect(found.at(-1)).toMatchObject({ check: what, exit_code: code });
  expect(await readdir(folder)).toEqual(['c.toml']);
  return found;
}

it('check all --json is a line a finding of each check, and one of totals; nothing is left behind', async () => {
  const found = await lines('all');
  expect([...new Set(found.slice(0, -1).map(({ check }) => check))]).toEqual([
    'config',
    'system',
    'camera',
    'sensors',
    'storage',
  ]);
  for (const finding of found.slice(0, -1)) {
    expect(Object.keys(finding)).toEqual(['check', 'level', 'about', 'message']);
    expect(['ok', 'warning', 'error']).toContain(finding.level);
  }
  const errors = found.filter(({ level }) => level === 'error').length;
  expect(found.at(-1)).toMatchObject({ errors, exit_code: errors > 0 ? 1 : 0 });
});

it('check config --json has the findings of the configuration alone', async () => {
  const found = await lines('config');
  expect(new Set(found.map(({ check }) => check))).toEqual(new Set(['config']));
  expect(found.at(-1)).toMatchObject({ errors: 0, exit_code: 0 });
});
