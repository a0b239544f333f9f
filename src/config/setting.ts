import { z } from 'zod';
import type { Kind, Word } from './kinds/kind.ts';

/** A value as TOML writes it. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | { readonly [key: string]: TomlValue };

/** What the people who write a configuration need to know of one key. */
export interface About {
  /** What an absent key means: the Python system's default, or for a new key what keeps old files as they were. As TOML has it. */
  absent: TomlValue;
  /** What the shipped file sets, for a newcomer; as TOML has it. The same as `absent` when left out. */
  shipped?: TomlValue;
  /** One or two sentences; the example file has the first, the reference page both. */
  doc: string;
  /** `live`: a change takes effect while the pipeline runs. `restart`: at the next start. `none`: read by nothing any more. */
  effect: 'live' | 'restart' | 'none';
  /** The Python system did not have it. */
  new?: true;
  /** Results depend on it: part of the hash that stands on each result line. */
  shapesResults?: true;
  /** May hold a password or a token: its value is never shown, nor logged. */
  secret?: true;
}

/** Everything the schema knows of one key besides its type. */
export interface SettingInfo extends About {
  shipped: TomlValue;
  allowed: string;
  words: readonly Word[];
  brief: string | null;
  example: readonly string[];
}

export interface SectionInfo {
  doc: string;
  /** The Python system did not have it. */
  new?: true;
}

const settingInfos = new WeakMap<z.ZodType, SettingInfo>();
const sectionInfos = new WeakMap<z.ZodType, SectionInfo>();

/** One key: what it may be, and what is to say of it. */
export function setting<T>(kind: Kind<T>, about: About): z.ZodType<T> {
  const info: SettingInfo = {
    ...about,
    shipped: about.shipped ?? about.absent,
    allowed: kind.allowed,
    words: kind.words ?? [],
    brief: kind.brief ?? null,
    example: kind.example ?? [],
  };
  // Values of the file differ in type from those that the program sees, and only the kind knows both.
  const schema = kind.schema.prefault(about.absent as never) as z.ZodType<T>;
  settingInfos.set(schema, info);
  return schema;
}

/** One table of the file. */
export function section<S extends z.ZodRawShape>(about: SectionInfo, shape: S): z.ZodObject<S> {
  const schema: z.ZodObject<S> = z.object(shape) as z.ZodObject<S>;
  sectionInfos.set(schema, about);
  return schema;
}

/** What is known of a key; its schema must come from {@link setting}. */
export function settingInfo(schema: z.ZodType): SettingInfo {
  const info = settingInfos.get(schema);
  if (!info) throw new TypeError('A key of a configuration section was not made by setting().');
  return info;
}

/** What is known of a section; its schema must come from {@link section}. */
export function sectionInfo(schema: z.ZodType): SectionInfo {
  const info = sectionInfos.get(schema);
  if (!info) throw new TypeError('A section of the configuration was not made by section().');
  return info;
}
