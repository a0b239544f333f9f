import { isDeepStrictEqual } from 'node:util';
import { withoutCredentials } from '../model/shownText.ts';
import { allSettings, type Config, type Setting } from './schema.ts';

export interface ChangedSetting {
  readonly section: Setting['section'];
  readonly key: string;
  readonly effect: Setting['info']['effect'];
  /** `collector_interval_seconds 5 → 2`; with its section where several sections have such a key. */
  readonly line: string;
}

/** What differs between two configurations, by value, in the order of the example file. */
export function changedSettings(before: Config, after: Config): ChangedSetting[] {
  return allSettings.flatMap(({ section, key, info }) => {
    const old = (before[section] as Readonly<Record<string, unknown>>)[key];
    const now = (after[section] as Readonly<Record<string, unknown>>)[key];
    if (isDeepStrictEqual(old, now)) return [];
    const shared = allSettings.some(other => other.key === key && other.section !== section);
    const name = shared ? `${section}.${key}` : key;
    const line = info.secret ? `${name} changed (not shown)` : `${name} ${show(old)} → ${show(now)}`;
    return [{ section, key, effect: info.effect, line }];
  });
}

/** The lines of {@link changedSettings}. */
export function changedKeys(before: Config, after: Config): string[] {
  return changedSettings(before, after).map(({ line }) => line);
}

function show(value: unknown): string {
  if (value === '') return '(empty)';
  if (Array.isArray(value)) return value.map(show).join(', ');
  if (typeof value !== 'object' || value === null) return withoutCredentials(String(value));
  if ('text' in value) return String(value.text);
  const entries = Object.entries(value);
  return entries.length === 0 ? '(none)' : entries.map(([id, name]) => `${id} = ${show(name)}`).join(', ');
}
