import { realpathSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellWord } from '../model/shownText.ts';
import type { CommandContext } from './commandDefinition.ts';

/** The launcher of the program. */
export const launcher = fileURLToPath(new URL('../../bin/phorest.js', import.meta.url));

/** `--config` and `--root` as they were given: words for another call of the program. */
export function sameExperiment({ config, root }: Pick<CommandContext, 'config' | 'root'>): string[] {
  return [...(config === undefined ? [] : ['--config', config]), ...(root === undefined ? [] : ['--root', root])];
}

/** A command for the same experiment as one would type it, to be pasted into a shell that stands where this program was called. */
export function commandLine(
  context: Pick<CommandContext, 'config' | 'root' | 'cwd' | 'environment'>,
  ...words: string[]
): string {
  return [...programWords(context), ...sameExperiment(context), ...words].map(shellWord).join(' ');
}

/** `phorest` where it is installed; in a checkout its launcher. */
function programWords({ cwd, environment: { PATH = '' } }: Pick<CommandContext, 'cwd' | 'environment'>): string[] {
  const isLauncher = (path: string): boolean => {
    try {
      return realpathSync(path) === realpathSync(launcher);
    } catch {
      return false;
    }
  };
  const folders = PATH.split(delimiter).filter(folder => isAbsolute(folder));
  if (folders.some(folder => isLauncher(join(folder, 'phorest')))) return ['phorest'];
  const near = relative(cwd, launcher);
  return ['node', near.startsWith('..') ? launcher : near];
}
