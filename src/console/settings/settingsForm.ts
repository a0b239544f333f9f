import { parse } from 'smol-toml';
import type { z } from 'zod';
import { editToml } from '../../config/editToml.ts';
import { parseConfig } from '../../config/parseConfig.ts';
import { allSettings, type Setting, sections } from '../../config/schema.ts';
import type { TomlValue } from '../../config/setting.ts';
import { plainErrors } from '../../model/systemErrors.ts';
import { type SettingsForm, settingNames, type TypedValue } from './settingsState.ts';

/** The form as the schema has it. It comes with the file: the console starts without the schema. */
export const settingsForm: SettingsForm = {
  fields: settingNames.map(
    ([section, key]) => allSettings.find(setting => setting.section === section && setting.key === key)!,
  ),
  all: allSettings,
  typedValue,
  newDoubts: ({ text, warnings }, edits) => {
    try {
      const known = new Set(warnings.map(({ message }) => message));
      const after = parseConfig(editToml(text ?? '', edits), '').warnings;
      return after.map(({ message }) => message).filter(message => !known.has(message));
    } catch (error) {
      return [plainErrors((error as Error).message)];
    }
  },
};

function typedValue({ section, key, info }: Setting, text: string): TypedValue {
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
