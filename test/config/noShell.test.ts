import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parseConfig.ts';

describe('what only a shell would replace', () => {
  it.each([
    ['[Alarms]\ncommand = ["tell", "$(touch pwned)"]', 'Alarms.command'],
    ['[Alarms]\nwebhook = "http://localhost/$(touch pwned)"', 'Alarms.webhook'],
    ['[Flags]\ndata_ready = "`touch pwned`"', 'Flags.data_ready'],
    ['[Temperature.thermocouple_sensors]\n"28-00000ff8fa16" = "$(touch pwned)"', 'thermocouple_sensors'],
    ['[Paths]\ndata_dir = "$(touch pwned)"', 'Paths.data_dir'],
  ])('is refused: %s', (toml, key) => {
    expect(() => parseConfig(toml, 'c.toml')).toThrow(key);
  });
});
