import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';
import type { z } from 'zod';
import type { TomlEdit } from '../../config/editToml.ts';
import { allSettings, type Config, type Setting, sections } from '../../config/schema.ts';
import type { TomlValue } from '../../config/setting.ts';

/** Settings that people change while an experiment runs; the others are for the editor. All of them take effect at once. */
const names: readonly [Setting['section'], string][] = [
  ['Timing', 'collector_interval_seconds'],
  ['Camera', 'camera_exposure'],
  ['Camera', 'camera_gain'],
  ['Camera', 'camera_brightness'],
  ['Data_Analysis', 'method'],
  ['Data_Analysis', 'estimator'],
  ['Data_Analysis', 'number_of_subROIs'],
  ['Data_Analysis', 'follow_chip'],
  ['Data_Analysis', 'chip_shift_limit'],
  ['Timing', 'communicator_interval_seconds'],
];

export const settingFields: readonly Setting[] = names.map(
  ([section, key]) => allSettings.find(setting => setting.section === section && setting.key === key)!,
);

export type TypedValue = { value: TomlValue } | { wrong: string };

/** What a typed text means for a setting, checked by its schema; or what it must be. */
export function typedValue({ section, key, info }: Setting, text: string): TypedValue {
  const type = (sections[section].shape as Readonly<Record<string, z.ZodType>>)[key] as z.ZodType;
  const given = text.trim();
  // As one would write it into the file, else as a word.
  for (const value of [...tomlOf(given), given]) if (type.safeParse(value).success) return { value };
  const message = type.safeParse(tomlOf(given)[0] ?? given).error?.issues[0]?.message ?? info.allowed;
  return { wrong: `it must be ${message}` };
}

function tomlOf(text: string): TomlValue[] {
  try {
    return [parse(`value = ${text}`).value as TomlValue];
  } catch {
    return [];
  }
}

/** As a setting stands in a configuration, in the words in which it would be typed. */
export const shownValue = (config: Config, { section, key }: Setting): string =>
  String((config[section] as Readonly<Record<string, unknown>>)[key]);

/** The changes of the form that differ from what the file has. @param drafts by key. */
export function editsOf(config: Config, drafts: Readonly<Record<string, TomlValue>>): TomlEdit[] {
  return settingFields.flatMap(field => {
    const value = drafts[field.key];
    if (value === undefined || isDeepStrictEqual(String(value), shownValue(config, field))) return [];
    return [{ path: [field.section, field.key], value }];
  });
}
