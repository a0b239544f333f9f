import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { defer, exhaustMap, Observable, switchMap, timer } from 'rxjs';
import type { CommandOutput, ConsoleHost, ConsoleTool } from '../console/consoleHost.ts';
import { splitWords } from '../console/overlayActions.ts';
import { mistakeLine } from '../console/settings/settingsState.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import type { ReplayRecord } from '../streams/folder/replaySchema.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import type { CommandContext, CommandDefinition } from './commandDefinition.ts';
import { commandLine, launcher, sameExperiment } from './commandLine.ts';
import type { LoadedConfig } from './loadConfig.ts';
import { loadPart } from './loadPart.ts';
import { rememberLook } from './rememberedLook.ts';
import { replayHost } from './replayHost.ts';

/** Its table of what to do when something is wrong stands beside alarms. */
const guide = fileURLToPath(new URL('../../docs/guide.md', import.meta.url));
/** The experiments of this machine are looked for so often while they are shown, ms. */
const experimentsEveryMs = 2_000;

/** Editors that a machine may have, when the user has not named one. */
const commonEditors = ['nano', 'vim', 'vi'];

/**
 * What the console asks of the command line.
 * @param stopOwn for a pipeline that runs in this process: asks it to stop, each time anew.
 * @param record what the replay in this root says of itself; null: it is none.
 */
export function hostConsole(
  context: CommandContext,
  { chosen, paths }: Pick<LoadedConfig, 'chosen' | 'paths'>,
  stopOwn: (() => void) | null,
  record: ReplayRecord | null = null,
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
      const { exampleToml } = await loadPart(() => import('../config/exampleToml.ts'));
      await makeFolder(nodeFiles, dirname(configFile));
      await writeFile(configFile, exampleToml(), { flag: 'wx' });
    },
    acknowledge: async alarm => {
      const { acknowledgeAlarm } = await loadPart(() => import('./acknowledgeAlarm.ts'));
      await acknowledgeAlarm(paths, alarm);
    },
    advice: async message => {
      const { adviceIn } = await loadPart(() => import('../console/alarms/advice.ts'));
      return adviceIn(await readFile(guide, 'utf8'), message);
    },
    mistakeLine: async () => {
      const { settingsFile } = await loadPart(() => import('../console/settings/settingsFile.ts'));
      return mistakeLine(settingsFile(await readFileText(configFile), chosen.shown));
    },
    writeSettings: async (edits, seen) => {
      const { changeConfig } = await loadPart(() => import('./changeConfig.ts'));
      return changeConfig(chosen, edits, { seen });
    },
    commandLine: (...words) => commandLine(context, ...words),
    editor: editorWords(context.environment),
    replay: replayHost(context, paths, record),
    environment: context.environment,
    experiments$: defer(() => loadPart(() => import('./listExperiments.ts'))).pipe(
      switchMap(({ listExperiments }) => timer(0, experimentsEveryMs).pipe(exhaustMap(() => listExperiments(context)))),
    ),
    rememberLook: choice => rememberLook(context.environment, choice),
  };
}

function toolOf({ usage, summary, declare, offered = '' }: CommandDefinition<never>): ConsoleTool {
  const [name, ...words] = usage.split(' ') as [string, ...string[]];
  return {
    name,
    usage,
    summary,
    // Made when it is shown: all of them take a while.
    get help() {
      const command = declare(words.reduce((made, word) => made.argument(word), new Command(name)));
      return `phorest ${command.description(summary).helpInformation()}`
        .replace('phorest Usage:', 'Usage: phorest')
        .split('\n');
    },
    offered,
  };
}

function editorWords({ VISUAL, EDITOR, PATH = '' }: NodeJS.ProcessEnv): string[] {
  const named = VISUAL || EDITOR;
  // A quote that is not closed is a part of the name.
  if (named?.trim()) return splitWords(named.trim()) ?? [named.trim()];
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

/** A command that was cut off ends its work well; one that has not after so long is killed, ms. */
const killAfterMs = 10_000;

/**
 * Runs another command of the program, for the same experiment, as a process of its own, and tells its output by lines.
 * Cold; completes after `ended`, errors never. Teardown asks it to end, and kills it when it does not.
 */
function runCommand(context: CommandContext, words: readonly string[]): Observable<CommandOutput> {
  return new Observable(subscriber => {
    const child = spawn(process.execPath, [launcher, ...sameExperiment(context), ...words], {
      cwd: context.cwd,
      env: { ...context.environment, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const emit = (text: string): void => subscriber.next({ kind: 'line', text });
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', emit);
    let over = false;
    const end = (code: number): void => {
      over = true;
      subscriber.next({ kind: 'ended', code });
      subscriber.complete();
    };
    child.once('error', ({ message }) => {
      emit(`phorest ${words.join(' ')} can't be started: ${message}`);
      end(1);
    });
    child.once('close', (code, signal) => end(code ?? 128 + osConstants.signals[signal!]));
    return () => {
      if (over) return;
      child.kill('SIGTERM');
      setTimeout(() => over || child.kill('SIGKILL'), killAfterMs).unref();
    };
  });
}
