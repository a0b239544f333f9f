import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConfigError, type ConfigProblem } from '../config/configError.ts';
import { type ChosenConfigFile, configFile } from '../config/configFile.ts';
import { defaultConfig } from '../config/defaultConfig.ts';
import { locate } from '../config/locate.ts';
import { pathProblems } from '../config/pathProblems.ts';
import { type ResolvedPaths, resolvePaths } from '../config/resolvePaths.ts';
import type { Config } from '../config/schema.ts';
import { loadText } from '../streams/configuration/configUpdates.ts';
import { type FileText, readFileText } from '../streams/watched/fileText.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { explain } from './explain.ts';

export interface LoadedConfig {
  chosen: ChosenConfigFile;
  config: Config;
  warnings: readonly ConfigProblem[];
  /** Text of the file; null when there is none and the shipped values are used. */
  text: string | null;
  paths: ResolvedPaths;
}

/** The file that the command line chooses. */
export function chooseConfig({ cwd, config, root, environment }: CommandContext): ChosenConfigFile {
  return configFile({ cwd, config, root, environment: environment.PHOREST_CONFIG, exists: existsSync });
}

/**
 * The configuration that the command line chooses, and where everything is.
 * @throws ExitError `usage` that lists all that is wrong with it.
 */
export async function loadConfig(context: CommandContext): Promise<LoadedConfig> {
  const chosen = chooseConfig(context);
  return loadRead(context, chosen, await readFileText(chosen.path));
}

/** The same of a text that is read already, or is still to be written. @throws ExitError `usage` */
export function loadRead({ cwd, root }: CommandContext, chosen: ChosenConfigFile, read: FileText): LoadedConfig {
  try {
    const text = read.kind === 'text' ? read.text : null;
    const shipped = read.kind === 'missing' && !chosen.required;
    const { config, warnings } = shipped
      ? { config: defaultConfig(), warnings: [] }
      : loadText(read, chosen.shown).loaded;
    const paths = resolvePaths(config, { cwd, configFile: chosen.path, exists: existsSync, root });
    const problems = pathProblems({
      config,
      paths,
      root,
      place: locate(text ?? ''),
      real: realFolder,
      isFile: path => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
    });
    if (problems.length > 0) throw new ConfigError(chosen.shown, problems);
    return { chosen, config, warnings, text, paths };
  } catch (error) {
    if (error instanceof ConfigError) throw new ExitError(exitCodes.usage, explain(error), { cause: error });
    throw error;
  }
}

/** Where a folder really is, also one that is still to be made. */
export function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realFolder(parent), basename(path));
  }
}
