import { TomlDate } from 'smol-toml';
import { withoutCredentials } from '../model/shownText.ts';

export type TomlTable = Readonly<Record<string, unknown>>;

/** Whether a parsed value is a table; a date is an object too, and no table. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);
}

/** A value as somebody who wrote the file would recognise it, cut to a length that fits a message. */
export function showValue(value: unknown): string {
  if (value instanceof TomlDate) return value.toISOString();
  if (typeof value === 'number')
    return Number.isFinite(value) ? String(value) : String(value).replace('Infinity', 'inf').toLowerCase();
  if (isTable(value)) return Object.keys(value).length === 0 ? 'an empty table' : 'a table';
  if (Array.isArray(value) && value.some(isTable)) return 'a list of tables';
  if (Array.isArray(value)) return cut(`[${value.map(showValue).join(', ')}]`);
  return cut(withoutCredentials(JSON.stringify(value) ?? String(value)));
}

const cut = (text: string): string => (text.length <= 60 ? text : `${text.slice(0, 57)}…`);
