import { expect, it } from 'vitest';
import { ConfigError } from '../../src/config/configError.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';

const limit = (value: string): number =>
  parseConfig(`[Sync]\nbandwidth_limit = ${value}\n`, 'c.toml').config.Sync.bandwidth_limit;

it('reads a rate in bytes a second', () => {
  expect(['"2 MB/s"', '"500 kB/s"', '"1.5 MiB/s"', '"0 MB/s"', '" 10 B/s "'].map(limit)).toEqual([
    2e6, 5e5, 1_572_864, 0, 10,
  ]);
});

it.each(['"2 MB"', '"10%/s"', '"fast"', '2', '"-1 MB/s"', '""'])('refuses %s, and says what it may be', value => {
  expect(() => limit(value)).toThrow(ConfigError);
  expect(() => limit(value)).toThrow(/"2 MB\/s"/);
});
