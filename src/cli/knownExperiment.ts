import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { configToml } from '../config/configToml.ts';
import { type ResolvedPaths, resolvePaths } from '../config/resolvePaths.ts';
import type { Config } from '../config/schema.ts';
import { makeFolder } from '../files/durableNames.ts';
import { type Files, nodeFiles } from '../files/files.ts';
import { readValidJson } from '../files/readJson.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { loadText } from '../streams/configuration/configUpdates.ts';
import type { CommandContext } from './commandDefinition.ts';
import { stateFolder, stateFolders } from './stateFolder.ts';

/** `flags/configuration.json`: the settings that an experiment was last run with, and the file that they are from. */
const lastGoodSchema = z.object({
  /** Absolute. */
  config_file: z.string(),
  /** Working directory, which relative folders begin at. */
  cwd: z.string(),
  /** Every setting but the secret ones. */
  toml: z.string(),
});

/** `~/.local/state/phorest/<hash of the configuration's path>.json`: where the experiment of a configuration is. */
const rememberedSchema = z.object({ config_file: z.string(), root: z.string(), flags: z.string() });

export interface KnownExperiment {
  config: Config;
  paths: ResolvedPaths;
}

/** Where the settings that count are kept. @param flags flag_dir */
export const lastGoodFile = (flags: string): string => join(flags, 'configuration.json');

/**
 * Keeps the settings that count beside the experiment, and where the experiment of a configuration is in the user's own state
 * folder, so that it can be steered though its configuration has a mistake, or is gone.
 */
export class ExperimentRecord {
  readonly #context: CommandContext;
  readonly #configFile: string;
  readonly #paths: ResolvedPaths;
  readonly #onError: (message: string) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(context: CommandContext, configFile: string, paths: ResolvedPaths, onError: (message: string) => void) {
    this.#context = context;
    this.#configFile = configFile;
    this.#paths = paths;
    this.#onError = onError;
  }

  /** Beside the experiment. One write at a time; what can't be written is told, and the next change tries again. */
  keep(config: Config, files: Files): Promise<void> {
    const record: z.infer<typeof lastGoodSchema> = {
      config_file: this.#configFile,
      cwd: this.#context.cwd,
      toml: configToml(config),
    };
    const path = lastGoodFile(this.#paths.flags);
    this.#last = this.#last
      .then(() => writeAtomic(files, path, `${JSON.stringify(record)}\n`))
      .catch(error => this.#onError(`the settings that count can't be kept in ${path}: ${(error as Error).message}`));
    return this.#last;
  }

  /** In the user's own folder, which may hang or be read-only: nobody should wait for it. */
  async remember(config: Config): Promise<void> {
    const { root, flags } = this.#paths;
    const { config: named, root: given, cwd } = this.#context;
    // Whoever names another root than the configuration does names it again.
    if (named !== undefined && given !== undefined && resolve(cwd, config.Paths.root_dir) !== root) return;
    const record: z.infer<typeof rememberedSchema> = { config_file: this.#configFile, root, flags };
    const path = rememberedFile(stateFolder(this.#context.environment), this.#configFile);
    try {
      await makeFolder(nodeFiles, dirname(path));
      await writeAtomic(nodeFiles, path, `${JSON.stringify(record)}\n`);
    } catch (error) {
      this.#onError(
        `${path} can't be written (${(error as Error).message}): should the configuration be lost, --root ${root} names the experiment`,
      );
    }
  }
}

/** The settings that count, of the text of {@link lastGoodFile}; null where it is missing, of another version, or damaged. */
export function settingsThatCount(text: string | null): Config | null {
  try {
    const record = lastGoodSchema.parse(JSON.parse(text ?? ''));
    return loadText({ kind: 'text', text: record.toml }, 'configuration.json').loaded.config;
  } catch {
    return null;
  }
}

/** The experiment that a folder holds, by its own record; null when it has none that can be read. @param flags its flag_dir. */
export async function experimentIn(
  root: string,
  flags: string,
): Promise<(KnownExperiment & { configFile: string }) | null> {
  const record = await readValidJson(nodeFiles, lastGoodFile(flags), lastGoodSchema).catch(() => null);
  if (!record) return null;
  try {
    const { config } = loadText({ kind: 'text', text: record.toml }, lastGoodFile(flags)).loaded;
    const { cwd, config_file: configFile } = record;
    return { config, configFile, paths: resolvePaths(config, { cwd, configFile, root, exists: existsSync }) };
  } catch {
    // Of another version, or damaged: it is only one of the ways to find the experiment.
    return null;
  }
}

/** The experiment that a configuration was last run with, if its own record says so too. */
export async function experimentOf(
  configFile: string,
  { environment }: CommandContext,
): Promise<KnownExperiment | null> {
  for (const folder of await stateFolders(environment)) {
    const record = await readValidJson(nodeFiles, rememberedFile(folder, configFile), rememberedSchema).catch(
      () => null,
    );
    if (!record) continue;
    const known = await experimentIn(record.root, record.flags);
    if (known?.configFile === configFile) return known;
  }
  return null;
}

function rememberedFile(folder: string, configFile: string): string {
  return join(folder, `${createHash('sha256').update(configFile).digest('hex').slice(0, 16)}.json`);
}
