import { expect, it } from 'vitest';
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
