import { ConfigError, type ConfigProblem } from '../../config/configError.ts';
import { defaultConfig } from '../../config/defaultConfig.ts';
import { editToml, type TomlEdit } from '../../config/editToml.ts';
import { parseConfig } from '../../config/parseConfig.ts';
import type { Config } from '../../config/schema.ts';
import { plainErrors } from '../../model/systemErrors.ts';
import { loadText } from '../../streams/configuration/configUpdates.ts';
import type { FileText } from '../../streams/watched/fileText.ts';

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
}

/** @param shown how messages name the file. */
export function settingsFile(read: FileText, shown: string): SettingsFile {
  if (read.kind === 'missing') return { text: null, config: defaultConfig(), problems: [], warnings: [] };
  const text = read.kind === 'text' ? read.text : '';
  try {
    const { loaded } = loadText(read, shown);
    return { text, config: loaded.config, problems: [], warnings: loaded.warnings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { text, config: null, problems: error.problems, warnings: error.warnings };
  }
}

/** Where an editor should open the file: at what is wrong, else at what is doubtful; null where all is well. */
export const mistakeLine = ({ problems, warnings }: SettingsFile): number | null =>
  [...problems, ...warnings].find(({ line }) => line !== null)?.line ?? null;

/** What is doubtful in the file with some changes, and was not before; or why they can't be made. */
export function newDoubts({ text, warnings }: SettingsFile, edits: readonly TomlEdit[]): string[] {
  try {
    const known = new Set(warnings.map(({ message }) => message));
    const after = parseConfig(editToml(text ?? '', edits), '').warnings;
    return after.map(({ message }) => message).filter(message => !known.has(message));
  } catch (error) {
    return [plainErrors((error as Error).message)];
  }
}
