import { expect, it } from 'vitest';
import { ConfigError } from '../../src/config/configError.ts';
import { configToml } from '../../src/config/configToml.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';

it('steps and groups of an experiment are read, times as TOML has them too, and written back as the same', () => {
  const { config } = parseConfig(
    `[Experiment]
steps = [
  { time = 2026-11-28T14:00:00, liquid = "water", refractive_index = 1.333, concentration = 0 },
  { time = "2026-11-28 15:00", liquid = "protein", concentration = "10 nM" },
]
[Experiment.groups]
sensing = ["0*A_*", "!013A*"]
`,
    'my.toml',
  );
  expect(config.Experiment).toEqual({
    steps: [
      { time: '2026-11-28T14:00:00.000', liquid: 'water', refractive_index: 1.333, concentration: '0' },
      { time: '2026-11-28 15:00', liquid: 'protein', concentration: '10 nM' },
    ],
    groups: { sensing: ['0*A_*', '!013A*'] },
  });
  expect(parseConfig(configToml(config), 'again.toml').config).toEqual(config);
});

it.each([
  ['index = 1.33', 'has the unknown key "index"; did you mean "refractive_index"?'],
  ['refractiv_index = 1.33', 'has the unknown key "refractiv_index"; did you mean "refractive_index"?'],
  ['n = 1.33', 'has the unknown key "n"; its keys are time, liquid, refractive_index, concentration'],
])('a step with %s is told by the wrong key', (wrong, message) => {
  const read = (): unknown =>
    parseConfig(`[Experiment]\nsteps = [{ time = "2026-11-28 15:00", liquid = "w", ${wrong} }]`, 'c');
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(`Experiment.steps[0] ${message}`);
});

it.each([
  ['[Quantities]\nzero_from = "2026-11-28T14:00"', 'doubtful 2: Quantities.zero_from is set and zero_to is not'],
  ['[Quantities]\nzero_to = "2026-11-28T14:00"', 'doubtful 2: Quantities.zero_to is set and zero_from is not'],
  ['[Data_Analysis]\nmemory_limit = "1 MB"', 'doubtful 2: Data_Analysis.memory_limit is "1 MB", less than'],
])('what does nothing, or not what it says, is asked about: %j', (text, message) => {
  const warnings = parseConfig(text, 'c').warnings.map(({ kind, line, message: words }) => `${kind} ${line}: ${words}`);
  expect(warnings).toEqual([expect.stringContaining(message)]);
});
