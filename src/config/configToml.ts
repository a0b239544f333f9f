import { stringify } from 'smol-toml';
import { withoutCredentials } from '../model/shownText.ts';
import { configHash } from './configHash.ts';
import { allSettings, type Config } from './schema.ts';
import type { TomlValue } from './setting.ts';

/**
 * A configuration as it is used: every key with its value, whatever the file left out. Parses back to the same settings, but for
 * secret ones: these are left out, and named; addresses lose their passwords. The same settings give the same text.
 */
export function configToml(config: Config): string {
  const tables: Record<string, Record<string, TomlValue>> = {};
  const secrets: string[] = [];
  for (const { section, key, info } of allSettings) {
    if (info.secret) {
      secrets.push(`# ${section}.${key} is secret and left out.`);
      continue;
    }
    const value = (config[section] as Readonly<Record<string, unknown>>)[key];
    tables[section] = { ...tables[section], [key]: written(value, info.absent) };
  }
  const intro = [`# The settings as they were used: config_hash ${configHash(config)} on result lines.`, ...secrets];
  return withoutCredentials(`${intro.join('\n')}\n\n${stringify(tables)}`);
}

/** A value as the file has it. @param like what the file has for an absent key. */
function written(value: unknown, like: TomlValue): TomlValue {
  if (typeof value === 'object' && value !== null && 'kind' in value && 'text' in value) return String(value.text);
  // A rate is a number to the program and has its unit in the file.
  if (typeof value === 'number' && typeof like === 'string') return `${value} B/s`;
  return value as TomlValue;
}
