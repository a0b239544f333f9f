import { describe, expect, it } from 'vitest';
import { configHash } from '../../src/config/configHash.ts';
import { configToml } from '../../src/config/configToml.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { allSettings, type Config } from '../../src/config/schema.ts';

const configOf = (text: string): Config => parseConfig(text, 'c.toml').config;

const secretKeys = allSettings.filter(({ info }) => info.secret);

function withoutSecrets(config: Config): Record<string, Record<string, unknown>> {
  const copy = structuredClone(config) as unknown as Record<string, Record<string, unknown>>;
  for (const { section, key } of secretKeys) delete copy[section]![key];
  return copy;
}

describe('configToml', () => {
  it.each([
    ['an empty file', configOf('')],
    ['the shipped settings', defaultConfig()],
    [
      'settings of every kind',
      configOf(`
        Buffer.min_free_disk = "10%"
        Sync.bandwidth_limit = "1.5 MB/s"
        Data_Analysis.method = "fano"
        Communication.method = ["CSV_PLOT", "MQTT"]
        Temperature.thermocouple_sensors."28-00000ff8fa16" = 'a "quoted" name'
        Storage.usb_uuid = "BB92-0AA4"
        Timing.collector_interval_seconds = 0.5
      `),
    ],
  ])('has every key, and reads back to the same: %s', (_what, config) => {
    const text = configToml(config);
    expect(withoutSecrets(configOf(text))).toEqual(withoutSecrets(config));
    for (const { key, info } of allSettings) if (!info.secret) expect(text).toContain(key);
    expect(text).toContain(configHash(config));
    expect(configToml(structuredClone(config))).toBe(text);
  });

  it('leaves out what is secret, and says so', () => {
    const text = configToml(configOf('Alarms.webhook = "https://example.org/s3cr3t"'));
    expect(text).not.toContain('s3cr3t');
    expect(secretKeys.length).toBeGreaterThan(0);
    for (const { section, key } of secretKeys) expect(text).toContain(`# ${section}.${key} is secret`);
  });
});
