import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defaultConfig } from '../config/defaultConfig.ts';
import { resolvePaths } from '../config/resolvePaths.ts';
import { salvageConfig } from '../config/salvageConfig.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { experimentIn, experimentOf, type KnownExperiment } from './knownExperiment.ts';
import { livingProcesses } from './livingProcesses.ts';
import { chooseConfig, type LoadedConfig, loadConfig } from './loadConfig.ts';

export interface SteeredExperiment extends LoadedConfig {
  /** What is wrong with the configuration as it is now, a line each; told already unless asked otherwise. */
  trouble: readonly string[];
  /** The settings are those that count, and not only the folders. */
  settingsKnown: boolean;
}

type Found = KnownExperiment & Pick<SteeredExperiment, 'settingsKnown'>;

/**
 * The experiment of a command that changes what the pipeline has recorded: it needs the settings that count too.
 * @throws ExitError `usage` when they are not known.
 */
export async function loadKnown(context: CommandContext): Promise<SteeredExperiment> {
  const found = await loadExperiment(context);
  if (found.settingsKnown) return found;
  throw new ExitError(
    exitCodes.usage,
    `nobody knows the settings of ${found.paths.root}: mend the configuration first`,
  );
}

/**
 * The experiment of a command that reads it or adds to it: its folder has to be there, since a mistyped one would be made, or taken for a run without results.
 * @throws ExitError `usage` when it is not, or nobody knows where it is.
 */
export async function loadExperiment(context: CommandContext): Promise<SteeredExperiment> {
  const found = await loadSteered(context);
  const { root } = found.paths;
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory()) return found;
  throw new ExitError(
    exitCodes.usage,
    `no such folder: ${root}; is its name right, and its disk plugged in? "phorest ls" lists the experiments of this machine`,
  );
}

/**
 * The experiment that a command steers or looks at. Its folder is all that such a command needs, so a mistake in the
 * configuration is told, and does not keep it from its work: the folder is the one of `--root`, else the one that the
 * configuration still names, else the one that it was last run with. So is a pipeline found whose configuration names another
 * folder by now.
 *
 * @param report prints a line; stderr unless given.
 * @throws ExitError `usage` when nobody knows where the experiment is.
 */
export async function loadSteered(
  context: CommandContext,
  report: (line: string) => void = line => context.output.error(line),
): Promise<SteeredExperiment> {
  const loaded = await loadConfig(context).catch((error: unknown) => {
    if (error instanceof ExitError) return error;
    throw error;
  });
  if (loaded instanceof ExitError) {
    // A file is no experiment, whatever the configuration says.
    const given =
      context.root === undefined ? null : statSync(resolve(context.cwd, context.root), { throwIfNoEntry: false });
    if (given?.isFile()) throw loaded;
    const found = await withoutConfig(context);
    if (!found) {
      const hint = context.root === undefined ? '\n"--root FOLDER" names the experiment without its configuration' : '';
      throw new ExitError(loaded.code, `${loaded.message}${hint}`, { cause: loaded });
    }
    const trouble = [
      ...loaded.message.split('\n'),
      `the configuration is left aside: this is the experiment in ${found.paths.root}`,
    ];
    for (const line of trouble) report(line);
    return { ...found, chosen: chooseConfig(context), warnings: [], text: null, trouble };
  }
  const elsewhere = await whereItRuns(context, loaded);
  if (!elsewhere) {
    const trouble = await troubleOfPipeline(loaded.paths.status);
    for (const line of trouble) report(line);
    return { ...loaded, trouble, settingsKnown: true };
  }
  const shown = loaded.chosen.shown;
  const { root } = elsewhere.paths;
  const line =
    loaded.text === null
      ? `${shown} is not there any more: this is the experiment in ${root}`
      : `${shown} names ${loaded.paths.root} for the next start; what runs is the experiment in ${root}`;
  report(line);
  return { ...loaded, ...elsewhere, trouble: [line] };
}

/** Where a pipeline of this very configuration runs, or did before the file was lost, when that is not where it points by now. */
async function whereItRuns(context: CommandContext, { chosen, paths, text }: LoadedConfig): Promise<Found | null> {
  if (context.root !== undefined) return null;
  const known = await experimentOf(chosen.path, context);
  if (!known || known.paths.flags === paths.flags || (await runs(paths.status))) return null;
  return text === null || (await runs(known.paths.status)) ? { ...known, settingsKnown: true } : null;
}

async function withoutConfig(context: CommandContext): Promise<Found | null> {
  const { path } = chooseConfig(context);
  const read = await readFileText(path);
  const named = read.kind === 'text' ? salvageConfig(read.text) : null;
  const { root, cwd } = context;
  const config = named ?? defaultConfig();
  const paths = resolvePaths(config, { cwd, configFile: path, exists: existsSync, root });
  const onlyFolders = { config, paths, settingsKnown: false };
  const known = (experiment: KnownExperiment | null): Found | null =>
    experiment && { ...experiment, settingsKnown: true };
  if (root !== undefined) {
    const usual = join(paths.root, 'flags');
    return (
      known((await experimentIn(paths.root, paths.flags)) ?? (await experimentIn(paths.root, usual))) ?? onlyFolders
    );
  }
  const remembered = await experimentOf(path, context);
  if (!named || (remembered && (await runs(remembered.paths.status)))) return known(remembered);
  return (
    known(await experimentIn(paths.root, paths.flags)) ?? (existsSync(paths.flags) ? onlyFolders : known(remembered))
  );
}

/**
 * What the processes that run say of their configuration, a line each. They see more than a new reader does: that a key is misspelt
 * which was right before.
 */
export async function troubleOfPipeline(statusFolder: string): Promise<string[]> {
  const living = await livingProcesses(statusFolder).catch(() => []);
  return [...new Set(living.flatMap(({ status }) => status.config?.error?.split('\n') ?? []))];
}

async function runs(statusFolder: string): Promise<boolean> {
  const living = await livingProcesses(statusFolder).catch(() => []);
  return living.length > 0;
}
