import { describe, expect, it } from 'vitest';
import { changedKeys, changedSettings } from '../../src/config/changedKeys.ts';
import { configHash } from '../../src/config/configHash.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';

const configOf = (text: string) => parseConfig(text, 'c.toml').config;

describe('changedKeys', () => {
  it('is empty for what means the same', () => {
    expect(
      changedKeys(configOf('[Camera]\ncamera_type = "dummy"'), configOf('[Camera]\ncamera_type = "SIMULATED"')),
    ).toEqual([]);
    expect(changedKeys(defaultConfig(), defaultConfig())).toEqual([]);
  });

  it.each([
    ['Timing.collector_interval_seconds = 2', 'collector_interval_seconds 300 → 2'],
    ['Brightfield.camera_id = 2', 'Brightfield.camera_id 1 → 2'],
    ['Data_Analysis.method = "fano"', 'Data_Analysis.method gaussian → fano'],
    ['Communication.method = ["CSV_PLOT", "MQTT"]', 'Communication.method CSV_PLOT → CSV_PLOT, MQTT'],
    ['Buffer.min_free_disk = "10%"', 'min_free_disk 0 GB → 10%'],
    ['Storage.usb_uuid = "BB92-0AA4"', 'usb_uuid (empty) → BB92-0AA4'],
    ['Temperature.thermocouple_sensors.28-00000ff8fa16 = "A"', 'thermocouple_sensors (none) → 28-00000ff8fa16 = A'],
  ])('tells of %s', (text, line) => {
    expect(changedKeys(configOf(''), configOf(text))).toEqual([line]);
  });

  it('tells what only takes effect at the next start', () => {
    const [root, interval] = changedSettings(
      configOf(''),
      configOf('Paths.root_dir = "x"\nTiming.sync_interval_seconds = 1'),
    ).toSorted((a, b) => (a.section < b.section ? -1 : 1));
    expect([root?.effect, interval?.effect]).toEqual(['restart', 'live']);
  });
});

describe('configHash', () => {
  const hash = (text: string): string => configHash(configOf(text));

  it('is short, and the same however the settings were written', () => {
    expect(hash('')).toMatch(/^[0-9a-f]{12}$/);
    expect(hash('[Data_Analysis]\nmethod = "FANO"\nnumber_of_subROIs = 3')).toBe(
      hash('[Data_Analysis]\nnumber_of_subROIs = 3.0\nmethod = "fano"'),
    );
  });

  it('stays what it is from version to version', () => {
    // A changed value here means that every result of old runs seems to be made with other settings.
    expect(hash('')).toBe('4f53cda18c2b');
    expect(hash('[Data_Analysis]\nmethod = "fano"\nnumber_of_subROIs = 0')).toBe('7030dcb97142');
  });

  it('differs when results would, and only then', () => {
    const base = hash('');
    for (const text of [
      'Data_Analysis.method = "fano"',
      'Data_Analysis.number_of_subROIs = 0',
      'Camera.camera_gain = 1',
    ]) {
      expect(hash(text), text).not.toBe(base);
    }
    for (const text of ['Data_Analysis.workers = 3', 'Timing.collector_interval_seconds = 1', 'Paths.root_dir = "x"']) {
      expect(hash(text), text).toBe(base);
    }
  });
});
