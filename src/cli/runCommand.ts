import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { Observable } from 'rxjs';
import type { CommandOutput } from '../console/consoleHost.ts';
import type { CommandContext } from './commandDefinition.ts';
import { launcher, sameExperiment } from './launch.ts';

/** A command that was cut off ends its work well; one that has not after so long is killed, ms. */
const killAfterMs = 10_000;

/**
 * Runs another command of the program, for the same experiment, as a process of its own, and tells its output by lines.
 * Cold; completes after `ended`, errors never. Teardown asks it to end, and kills it when it does not.
 */
export function runCommand(context: CommandContext, words: readonly string[]): Observable<CommandOutput> {
  return new Observable(subscriber => {
    const child = spawn(process.execPath, [launcher, ...sameExperiment(context), ...words], {
      cwd: context.cwd,
      env: { ...context.environment, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const tell = (text: string): void => subscriber.next({ kind: 'line', text });
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', tell);
    let over = false;
    const end = (code: number): void => {
      over = true;
      subscriber.next({ kind: 'ended', code });
      subscriber.complete();
    };
    child.once('error', ({ message }) => {
      tell(`phorest ${words.join(' ')} can't be started: ${message}`);
      end(1);
    });
    child.once('close', (code, signal) => end(code ?? 128 + constants.signals[signal!]));
    return () => {
      if (over) return;
      child.kill('SIGTERM');
      setTimeout(() => over || child.kill('SIGKILL'), killAfterMs).unref();
    };
  });
}
