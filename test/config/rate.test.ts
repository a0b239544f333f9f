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

it.each(['"1 Gb/s"', '"10 Mbit/s"', '"8 Mib/s"'])('refuses %s, which are bits, and says so', value => {
  expect(() => limit(value)).toThrow(/means bits, and a byte \(8 bits\) is B/);
});

const free = (value: string) =>
  parseConfig(`[Buffer]\nmin_free_disk = ${value}\n`, 'c.toml').config.Buffer.min_free_disk;

it('reads small letters as bytes, and refuses a small b after a large letter', () => {
  expect([free('"1 gb"'), free('"1 GB"'), free('"1 kB"')]).toMatchObject([
    { bytes: 1e9 },
    { bytes: 1e9 },
    { bytes: 1e3 },
  ]);
  for (const text of ['"1 Gb"', '"1 Mb"', '"1 Gib"', '"5 Gbit"']) {
    expect(() => free(text)).toThrow(/such as "5 GB", "512 MiB" or "10%": \w+ means bits/);
  }
  expect(() => free('"5 bananas"')).toThrow(/"10%"$/m);
});
