import { ConfigError } from '../../config/configError.ts';
import { defaultConfig } from '../../config/defaultConfig.ts';
import { loadText } from '../../streams/configuration/configUpdates.ts';
import type { FileText } from '../../streams/watched/fileText.ts';
import { settingsForm as form } from './settingsForm.ts';
import type { SettingsFile } from './settingsState.ts';

/** @param shown how messages name the file. */
export function settingsFile(read: FileText, shown: string): SettingsFile {
  if (read.kind === 'missing') return { text: null, config: defaultConfig(), problems: [], warnings: [], form };
  const text = read.kind === 'text' ? read.text : '';
  try {
    const { loaded } = loadText(read, shown);
    return { text, config: loaded.config, problems: [], warnings: loaded.warnings, form };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { text, config: null, problems: error.problems, warnings: error.warnings, form };
  }
}
