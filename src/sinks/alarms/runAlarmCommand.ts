import { spawn } from 'node:child_process';
import { duration } from '../../model/quantity.ts';
import { oneLine, withoutCredentials } from '../../model/shownText.ts';
import { type AlarmNotice, DeliveryError, type DeliveryOptions } from './alarmOutlet.ts';

const longestComplaint = 300;
/** Shorter arguments are options and such. */
const shortestSecret = 6;

/**
 * Runs the command of `[Alarms]` for one alarm: as JSON on its standard input, and in the environment. No shell; each word
 * reaches the program as it is. It runs in a process group of its own, so that what it has started is ended with it, and a
 * terminal's Ctrl-C does not reach it. Resolves when it has ended with 0.
 *
 * @throws DeliveryError when it can't be started, ends otherwise, or takes too long.
 */
export function runAlarmCommand(
  [program = '', ...words]: readonly string[],
  notice: AlarmNotice,
  { signal, timeoutMs }: DeliveryOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (reason: string, cause?: unknown): DeliveryError =>
      new DeliveryError(`${program}: ${reason}`, { again: false, cause });
    if (signal.aborted) return reject(failed('the pipeline ends'));
    const child = spawn(program, words, {
      shell: false,
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, ...environmentOf(notice) },
    });
    let complaint = '';
    let killed: DeliveryError | null = null;
    const kill = (reason: string): void => {
      killed ??= failed(reason);
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It has ended in this moment, and says so itself.
      }
    };
    const onAbort = (): void => kill('the pipeline ends');
    const timer = setTimeout(() => kill(`it took longer than ${duration(timeoutMs)} and was ended`), timeoutMs);
    const settle = (error: DeliveryError | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // What it left running may hold the other end.
      child.stderr.destroy();
      if (error) reject(error);
      else resolve();
    };
    child.once('error', error => settle(failed(`can't be run: ${error.message}`, error)));
    child.once('exit', (code, killSignal) => {
      if (killed) settle(killed);
      else if (code === 0) settle(null);
      else
        settle(
          failed(`ended with ${killSignal ?? code}${complaint === '' ? '' : `: ${publicPart(complaint, words)}`}`),
        );
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-longestComplaint);
    });
    // A program that does not read its input is right too.
    child.stdin.once('error', () => undefined);
    child.stdin.end(`${JSON.stringify(notice)}\n`);
    if (child.pid !== undefined) signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** What a program complains of, without the arguments that it repeats: they may be secret. */
function publicPart(complaint: string, words: readonly string[]): string {
  const longestFirst = words.filter(word => word.length >= shortestSecret).sort((a, b) => b.length - a.length);
  const hidden = longestFirst.reduce((text, word) => text.replaceAll(word, '***'), complaint);
  return withoutCredentials(oneLine(hidden)).trim();
}

/** `PHOREST_ALARM_STATE`, `PHOREST_ALARM_MESSAGE` and so on. */
function environmentOf(notice: AlarmNotice): Record<string, string> {
  return Object.fromEntries(
    Object.entries(notice).map(([key, value]) => [`PHOREST_ALARM_${key.toUpperCase()}`, oneLine(String(value))]),
  );
}
