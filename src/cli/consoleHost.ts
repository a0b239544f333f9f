import { accessSync, constants, existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { exampleToml } from '../config/exampleToml.ts';
import type { ConsoleHost, ConsoleTool } from '../console/consoleHost.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import type { CommandContext, CommandDefinition } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import type { LoadedConfig } from './loadConfig.ts';
import { runCommand } from './runCommand.ts';

/** Editors that a machine may have, when the user has not named one. */
const commonEditors = ['nano', 'vim', 'vi'];

/**
 * What the console asks of the command line.
 * @param stopOwn for a pipeline that runs in this process: asks it to stop, each time anew.
 */
export function consoleHost(
  context: CommandContext,
  { chosen, paths }: Pick<LoadedConfig, 'chosen' | 'paths'>,
  stopOwn: (() => void) | null,
): ConsoleHost {
  const configFile = resolve(context.cwd, chosen.path);
  return {
    root: paths.root,
    mode: stopOwn ? 'own' : 'attached',
    tools: context.commands.filter(({ kind }) => kind === 'tool').map(toolOf),
    command: words => runCommand(context, words),
    stopOwn: stopOwn ?? (() => undefined),
    configFile,
    configExists: () => existsSync(configFile),
    writeConfig: async () => {
      await makeFolder(nodeFiles, dirname(configFile));
      await writeFile(configFile, exampleToml(), { flag: 'wx' });
    },
    commandLine: (...words) => commandLine(context, ...words),
    editor: editorWords(context.environment),
    environment: context.environment,
  };
}

function toolOf({ usage, summary, declare }: CommandDefinition<never>): ConsoleTool {
  const command = declare(new Command(usage.split(' ')[0]).arguments(usage.split(' ').slice(1).join(' ')));
  const help = `phorest ${command.description(summary).helpInformation()}`;
  return { name: command.name(), usage, summary, help: help.replace('phorest Usage:', 'Usage: phorest').split('\n') };
}

function editorWords({ VISUAL, EDITOR, PATH = '' }: NodeJS.ProcessEnv): string[] {
  const named = VISUAL || EDITOR;
  if (named) return named.trim().split(/\s+/);
  const folders = PATH.split(delimiter).filter(folder => folder !== '');
  const found = commonEditors.find(name => folders.some(folder => isExecutable(join(folder, name))));
  return [found ?? 'vi'];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
