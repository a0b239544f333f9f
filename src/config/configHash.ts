import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { allSettings, type Config, configSchema } from './schema.ts';

/**
 * Twelve hexadecimal digits for the settings that shape results: two result lines with the same hash were made alike.
 * Only what differs from the meaning of an absent key counts, so that a setting that comes with a later version changes no hash.
 */
export function configHash(config: Config): string {
  const absent = configSchema.parse({});
  const chosen = allSettings
    .filter(({ info }) => info.shapesResults)
    .map(({ section, key }) => ({
      name: `${section}.${key}`,
      value: (config[section] as Readonly<Record<string, unknown>>)[key],
      otherwise: (absent[section] as Readonly<Record<string, unknown>>)[key],
    }))
    .filter(({ value, otherwise }) => !isDeepStrictEqual(value, otherwise))
    .map(({ name, value }) => [name, value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(chosen)).digest('hex').slice(0, 12);
}
