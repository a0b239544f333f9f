import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../src/config/defaultConfig.ts';
import { resolvePaths } from '../src/config/resolvePaths.ts';
import { allSettings, type Config, type Setting } from '../src/config/schema.ts';
import { isOfPipeline } from '../src/console/settings/settingsPanel.ts';
import { settingsEvents } from '../src/graphInputs.ts';
import { systemClock } from '../src/model/clock.ts';
import { stageNames } from '../src/model/stageName.ts';

const shipped = defaultConfig();
/** With sensors, so that what is asked of them means something. */
const config: Config = {
  ...shipped,
  Services: { ...shipped.Services, enable_thermocouple: true },
  Temperature: { ...shipped.Temperature, thermocouple_sensors: { '28-1': 'chip' } },
};
const paths = resolvePaths(config, { cwd: '/x', configFile: '/x/c.toml', root: '/x', exists: () => false });

function takersOf({ section, key }: Pick<Setting, 'section' | 'key'>): string[] {
  const before = (config[section] as Readonly<Record<string, unknown>>)[key];
  const after = { ...config, [section]: { ...config[section], [key]: another(before) } };
  const experiment = { paths, configFile: '/x/c.toml', replay: null, tools: { clock: systemClock } };
  return settingsEvents(config, after, experiment as never, { stages: stageNames }).map(({ stage }) => stage);
}

function another(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}x`;
  if (Array.isArray(value)) return [...value, 'x'];
  return { ...(value as object), kind: 'bytes', bytes: 4e12, text: '4 TB' };
}

describe('who takes over a change of a setting that takes effect at once', () => {
  const live = allSettings.filter(({ info }) => info.effect === 'live');

  it.each(live.map(setting => [`${setting.section}.${setting.key}`, setting] as const))(
    '%s: a stage, or else the pipeline as a whole',
    (_, setting) => {
      expect(takersOf(setting).length > 0).toBe(!isOfPipeline(setting));
    },
  );

  it.each([
    ['Buffer', 'min_free_disk', ['collector', 'brightfield', 'ring_buffer', 'health']],
    ['Buffer', 'image_buffer_size', ['collector', 'brightfield', 'ring_buffer']],
    ['Services', 'enable_remote_sync', ['collector', 'brightfield', 'syncer', 'ring_buffer']],
    ['Temperature', 'longest_unchanged_seconds', ['collector']],
    ['Temperature', 'device_root', ['collector']],
    ['Camera', 'camera_exposure', ['collector', 'processor']],
    ['Timing', 'collector_interval_seconds', ['collector', 'brightfield', 'health']],
  ] as const)('%s.%s: each stage that works with it', (section, key, stages) => {
    expect(takersOf({ section, key }).toSorted()).toEqual(expect.arrayContaining([...stages].toSorted()));
  });
});
