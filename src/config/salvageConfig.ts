import { parse } from 'smol-toml';
import { type Config, configSchema, sections } from './schema.ts';
import { isTable, type TomlTable } from './tomlTable.ts';

/** Sections that say where everything is. */
const places = ['Paths', 'Flags', 'Assets'] as const;

/**
 * What can still be read of a text that has mistakes: where everything is. Null when it does not name one `root_dir`.
 * All other settings have the values of absent keys.
 */
export function salvageConfig(text: string): Config | null {
  const found = tablesOf(text);
  const good: Record<string, Record<string, unknown>> = {};
  for (const section of places) {
    const { shape } = sections[section];
    for (const [key, value] of found) {
      const [table, name] = key.split('.') as [string, string];
      const schema =
        table === section
          ? (shape as Record<string, { safeParse(value: unknown): { success: boolean } }>)[name]
          : undefined;
      if (schema?.safeParse(value).success) good[section] = { ...good[section], [name]: value };
    }
  }
  return good.Paths?.root_dir === undefined ? null : configSchema.parse(good);
}

/** `Paths.root_dir` and so on. A key that has two values is left out: nobody knows which one is meant. */
function tablesOf(text: string): ReadonlyMap<string, unknown> {
  const whole = parsed(text);
  if (whole) {
    return new Map(
      Object.entries(whole).flatMap(([section, table]) =>
        isTable(table) ? Object.entries(table).map(([key, value]) => [`${section}.${key}`, value] as const) : [],
      ),
    );
  }
  const values = new Map<string, unknown>();
  const twice = new Set<string>();
  let section = '';
  for (const line of text.split(/\r\n|\r|\n/)) {
    section = /^\s*\[\s*(\w+)\s*\]/.exec(line)?.[1] ?? section;
    for (const [key, value] of Object.entries(parsed(line) ?? {})) {
      const name = `${section}.${key}`;
      if (values.has(name) && values.get(name) !== value) twice.add(name);
      values.set(name, value);
    }
  }
  for (const name of twice) values.delete(name);
  return values;
}

function parsed(text: string): TomlTable | null {
  try {
    return parse(text);
  } catch {
    return null;
  }
}
