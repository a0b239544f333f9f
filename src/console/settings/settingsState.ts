import { isDeepStrictEqual } from 'node:util';
import type { ConfigProblem } from '../../config/configError.ts';
import type { TomlEdit } from '../../config/editToml.ts';
import type { Config, Setting } from '../../config/schema.ts';
import type { TomlValue } from '../../config/setting.ts';

/** The configuration file as it is now, and what counts of it. */
export interface SettingsFile {
  /** Null: there is none, and the shipped values count. */
  text: string | null;
  /** What stands in it; null where it can't be read. */
  config: Config | null;
  /** The settings with which the pipeline runs, or ran last; null where nothing is known of them. */
  inForce?: Config | null;
  /** What is wrong with it; then what is doubtful. */
  problems: readonly ConfigProblem[];
  warnings: readonly ConfigProblem[];
  form: SettingsForm;
}

/** What the schema knows of the settings that the page shows. */
export interface SettingsForm {
  /** Those of {@link settingNames}, in their order. */
  fields: readonly Setting[];
  all: readonly Setting[];
  /** What a typed text means for a setting, checked by its schema; or what it must be. */
  typedValue(field: Setting, text: string): TypedValue;
  /** What is doubtful in the file with some changes, and was not before; or why they can't be made. */
  newDoubts(file: SettingsFile, edits: readonly TomlEdit[]): string[];
}

export type TypedValue = { value: TomlValue } | { wrong: string };

/** What the settings page knows and holds. */
export interface SettingsState {
  /** Null until the page was shown. */
  file: SettingsFile | null;
  /** Index of the selected field. */
  cursor: number;
  /** Values that were chosen and are not written yet, by key. */
  drafts: Readonly<Record<string, TomlValue>>;
  /** What was written last and the pipeline has not answered yet, and when that was, ms; null: nothing. */
  written: { text: string; at: number } | null;
}

export const initialSettings: SettingsState = { file: null, cursor: 0, drafts: {}, written: null };

/** Settings that people change while an experiment runs; the others are for the editor. All of them take effect at once. */
export const settingNames: readonly (readonly [section: Setting['section'], key: string])[] = [
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

/** Null until the page was shown. */
export const selectedField = ({ file, cursor }: SettingsState): Setting | null => file?.form.fields[cursor] ?? null;

/** The words that a setting may be; a flag is one of two. */
export function wordsOf({ info }: Setting): readonly string[] {
  if (typeof info.absent === 'boolean') return ['true', 'false'];
  return info.words.filter(({ later }) => !later).map(({ word }) => word);
}

/** What would be written now: the changes that differ from what the file has. */
export function changesOf({ settings: { file, drafts } }: { settings: SettingsState }): TomlEdit[] {
  const config = file?.config;
  if (!config) return [];
  return file.form.fields.flatMap(field => {
    const value = drafts[field.key];
    if (value === undefined || isDeepStrictEqual(String(value), shownValue(config, field))) return [];
    return [{ path: [field.section, field.key], value }];
  });
}

/** As a setting stands in a configuration, in the words in which it would be typed. */
export const shownValue = (config: Config, { section, key }: Setting): string =>
  String((config[section] as Readonly<Record<string, unknown>>)[key]);

/** Where an editor should open the file: at what is wrong, else at what is doubtful; null where all is well. */
export const mistakeLine = ({ problems, warnings }: SettingsFile): number | null =>
  [...problems, ...warnings].find(({ line }) => line !== null)?.line ?? null;
