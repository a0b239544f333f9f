import { type ChildProcess, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { ToolRunner } from '../files/runTool.ts';

/** Ends synchronised output, mouse reports, the alternate screen and colours; shows the cursor. */
const restoring =
  '\u001b[?2026l\u001b[?1006l\u001b[?1002l\u001b[?1000l\u001b[m\u001b[?1l\u001b>\u001b[?1049l\u001b[?25h';
const askMs = 500;

/**
 * Restores the terminal of this process though it is killed without a chance to do so itself (`kill -9`, out of memory). Two tiny programs
 * hold the end of a pipe: when this process is gone, the pipe ends, `tail` writes what restores the screen, and `xargs` has `stty` restore the
 * modes. Both are in sessions of their own, so that no key and no job control of the shell reaches them.
 *
 * Where these programs are not there, the terminal is not guarded.
 * @returns what lets them go, before the terminal is restored in the usual way
 */
export async function guardTerminal(): Promise<() => void> {
  const place = terminalPlace();
  if (place === null) return () => undefined;
  const modes = await new ToolRunner()
    .run(['stty', '-F', place, '-g'], { signal: AbortSignal.timeout(askMs), timeoutMs: askMs })
    .then(
      ({ stdout }) => stdout.toString().trim(),
      () => '',
    );
  const guards = [guard('tail', ['-c', String(restoring.length)], restoring, 1)];
  if (modes !== '') guards.push(guard('xargs', ['stty', '-F', place], modes, 'ignore'));
  return () => {
    for (const each of guards) each.kill('SIGKILL');
  };
}

/** A program that reads until this process is gone. */
function guard(program: string, words: readonly string[], text: string, output: number | 'ignore'): ChildProcess {
  const child = spawn(program, words, { detached: true, stdio: ['pipe', output, 'ignore'] });
  // It is not there, or was ended by somebody: then there is no guard.
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.stdin?.write(text);
  child.unref();
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return child;
}

/** The terminal that this process draws on, by its name; null where it has none. */
function terminalPlace(): string | null {
  try {
    const place = readlinkSync('/proc/self/fd/1');
    return place.startsWith('/dev/') && process.stdout.isTTY ? place : null;
  } catch {
    return null;
  }
}
