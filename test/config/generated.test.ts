import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { expect, it } from 'vitest';
import { generate } from '../../scripts/generate.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { exampleToml } from '../../src/config/exampleToml.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { referencePage } from '../../src/config/referencePage.ts';
import { allSettings, catalogue } from '../../src/config/schema.ts';

const repository = join(import.meta.dirname, '../..');

it('no generated file of the repository is stale (else: npm run generate)', async () => {
  expect(await generate(repository, { check: true })).toEqual([]);
});

it('a file that differs or is missing is named, and written unless it is only checked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-generate-'));
  try {
    const all = await generate(folder, { check: true });
    expect(all).toEqual(expect.arrayContaining(['configs/Phorest_config.toml', 'docs/configuration.md']));
    await expect(readFile(join(folder, all[0] as string))).rejects.toThrow('ENOENT');
    expect(await generate(folder, { check: false })).toEqual(all);
    expect(await generate(folder, { check: true })).toEqual([]);
    await writeFile(join(folder, 'docs/configuration.md'), `${referencePage()} `);
    expect(await generate(folder, { check: true })).toEqual(['docs/configuration.md']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('the shipped file sets every key, and means exactly what counts without a file', () => {
  const { config, warnings } = parseConfig(exampleToml(), 'configs/Phorest_config.toml');
  expect(warnings).toEqual([]);
  expect(config).toEqual(defaultConfig());
  const tables = parse(exampleToml()) as Record<string, Record<string, unknown>>;
  for (const { name, settings } of catalogue) {
    expect(Object.keys(tables[name] as object).sort()).toEqual(settings.map(({ key }) => key).sort());
  }
});

it('the shipped settings are those of a newcomer without any hardware', () => {
  const config = defaultConfig();
  expect(config.Services.enable_camera).toBe(true);
  expect(config.Camera.camera_type).toBe('simulated');
  expect(config.Timing.collector_interval_seconds).toBe(5);
  expect(config.Data_Analysis.number_of_subROIs).toBe(0);
  // Git ignores this folder, so that a first run leaves the checkout as it was.
  expect(config.Paths.root_dir).toBe('phorest_data');
});

it('every key has a comment in the shipped file, and a row in the reference page', () => {
  const lines = exampleToml().split('\n');
  for (const { key } of allSettings) {
    const at = lines.findIndex(line => line.startsWith(`${key} = `) || line.endsWith(`.${key}]`));
    expect(lines[at - 1], key).toMatch(/^# ./);
    expect(referencePage()).toContain(`| \`${key}\``);
  }
  expect(lines.filter(line => line.length > 110)).toEqual([]);
});

it('the configuration of a replay can be read, whatever characters the name of its folder has', () => {
  const origin = 'Made by the replay of /data/a\u0001b\u001b[31mc\nroot_dir = "x"\r\u0085\u2028d';
  expect(parse(exampleToml({}, origin))).toEqual(parse(exampleToml()));
});
