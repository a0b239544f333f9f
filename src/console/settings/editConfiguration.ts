import { spawn } from 'node:child_process';
import type { ConsoleHost } from '../consoleHost.ts';
import { editorCommand } from './editorCommand.ts';

/**
 * Runs the editor on the configuration, on this terminal, without a shell: at its first mistake, where it has one. Resolves when the
 * editor has ended well.
 * `until` ends the editor: the terminal is wanted back.
 * @throws Error that names the editor and says what to do
 */
export function editConfiguration(
  { editor, configFile, environment }: Pick<ConsoleHost, 'editor' | 'configFile' | 'environment'>,
  at: number | null,
  until: AbortSignal,
): Promise<void> {
  const [program, ...words] = editor.length > 0 ? editorCommand(editor, configFile, at) : [];
  return new Promise((resolve, reject) => {
    if (program === undefined) {
      reject(new Error('there is no editor: set EDITOR to the name of one'));
      return;
    }
    const editing = spawn(program, words, {
      stdio: 'inherit',
      env: { ...environment },
      signal: until,
    });
    editing.on('error', error =>
      reject(new Error(`the editor ${program} can't be started (${error.message}): set EDITOR to another`)),
    );
    editing.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`the editor ${program} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}
