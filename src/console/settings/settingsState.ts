import type { TomlEdit } from '../../config/editToml.ts';
import type { Setting } from '../../config/schema.ts';
import type { TomlValue } from '../../config/setting.ts';
import { editsOf, settingFields } from './settingFields.ts';
import type { SettingsFile } from './settingsFile.ts';

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

export const selectedField = ({ cursor }: SettingsState): Setting => settingFields[cursor] as Setting;

/** What would be written now. */
export function changesOf({ settings: { file, drafts } }: { settings: SettingsState }): TomlEdit[] {
  return file?.config ? editsOf(file.config, drafts) : [];
}
