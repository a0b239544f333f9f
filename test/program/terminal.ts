import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { launcher } from './program.ts';

/** Whether this machine has tmux, which is the terminal of these tests. */
export const hasTerminal = (() => {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

export interface TerminalOptions {
  cwd: string;
  cols?: number;
  rows?: number;
  env?: Readonly<Record<string, string>>;
  /** Runs this in place of phorest: a shell. */
  program?: readonly string[];
}

/** So long a wait may take before the test fails with what the screen shows, ms; and how often it is looked at. */
const patienceMs = 60_000;
const pollEveryMs = 50;

/** The real program in a real terminal (tmux): keys go in, what the screen shows comes out. */
export class Terminal {
  readonly #socket = `phorest-${randomUUID()}`;

  /** Starts `phorest` with these words. What is still open after a test is closed. */
  constructor(
    words: readonly string[],
    { cwd, cols = 120, rows = 40, env = {}, program = [process.execPath, launcher] }: TerminalOptions,
  ) {
    open.add(this);
    const variables = { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', NO_COLOR: '', PHOREST_CONFIG: '', ...env };
    this.#tmux(
      ...['new-session', '-d', '-x', String(cols), '-y', String(rows), '-c', cwd],
      // As from a shell, that says how it ended and keeps what it left on the screen.
      // A key that came while the program had handed the terminal to an editor may have been echoed: the line is begun anew.
      ...['sh', '-c', '"$@"; printf "\\rended with %s\\n" "$?"; exec cat', 'sh'],
      // tmux itself names TERM for what it starts, whatever its `-e` says.
      ...['env', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...program, ...words],
    );
    this.#tmux('set-option', '-g', 'status', 'off');
  }

  /** What stands on the screen, a line each. */
  get lines(): string[] {
    return this.#tmux('capture-pane', '-p').replace(/\n$/, '').split('\n');
  }

  get screen(): string {
    return this.lines.join('\n');
  }

  /** The screen with its colours, as escape sequences. */
  get colours(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** The program's exit code, or null while it runs. */
  get exitCode(): number | null {
    const code = /^ended with (\d+)$/m.exec(this.screen)?.[1];
    return code === undefined ? null : Number(code);
  }

  /** Whether the terminal is as a shell needs it: not on the second screen that full-screen programs use, cursor shown. */
  get isRestored(): boolean {
    return this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag} #{mouse_any_flag}').trim() === '0 1 0';
  }

  /** Of the terminal itself. */
  get ownPid(): number {
    return Number(this.#tmux('display-message', '-p', '#{pid}'));
  }

  /** Of the program. */
  get pid(): number {
    const shell = this.#tmux('display-message', '-p', '#{pane_pid}').trim();
    return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')[0]);
  }

  /** Presses keys, as tmux names them: `q`, `Enter`, `C-c`, `Up`. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** From now on all that the program writes goes to a file too, byte by byte. */
  record(file: string): void {
    this.#tmux('pipe-pane', '-O', `exec cat > '${file}'`);
  }

  /** From now on the terminal takes what programs put on its clipboard. */
  takeClipboard(): void {
    this.#tmux('set-option', '-s', 'set-clipboard', 'on');
  }

  /** What a program has put on the clipboard last. */
  get clipboard(): string {
    try {
      return this.#tmux('show-buffer');
    } catch {
      return '';
    }
  }

  resize(cols: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(cols), '-y', String(rows));
  }

  /** Resolves with what `find` returns of the screen as soon as that is something. */
  async until<T>(what: string, find: (screen: string) => T | null | undefined | false): Promise<T> {
    const begun = performance.now();
    for (;;) {
      const { screen } = this;
      const found = find(screen);
      if (found !== null && found !== undefined && found !== false) return found;
      if (performance.now() - begun > patienceMs) {
        throw new Error(`no ${what} in ${patienceMs / 1000} s; the screen shows:\n${screen}`);
      }
      await wait(pollEveryMs);
    }
  }

  /** Resolves with the screen as soon as it has a text. */
  shows(text: string | RegExp): Promise<string> {
    const has = (screen: string): boolean => (typeof text === 'string' ? screen.includes(text) : text.test(screen));
    return this.until(String(text), screen => has(screen) && screen);
  }

  /** Presses a key until the cursor of a list (`▸`) stands at an entry that begins so; each time when it has gone where the press before has sent it. */
  async moveTo(entry: string, key: 'Down' | 'Up' = 'Down'): Promise<void> {
    const marked = (screen: string): string[] => Array.from(screen.matchAll(/▸ *([^│\s]+)/g), ([, word = '']) => word);
    for (let at = marked(this.screen); !at.includes(entry); ) {
      const before = at.join();
      this.press(key);
      at = await this.until(`step from ${before} towards ${entry}`, screen => {
        const now = marked(screen);
        return now.join() !== before && now;
      });
    }
  }

  /** The program's end. */
  ended(): Promise<number> {
    return this.until('end of the program', () => this.exitCode ?? false).then(() => this.exitCode!);
  }

  close(): void {
    open.delete(this);
    try {
      this.#tmux('kill-server');
    } catch {
      // It has ended already.
    }
  }

  #tmux(...words: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, '-f', '/dev/null', ...words], { encoding: 'utf8' });
  }
}

const open = new Set<Terminal>();

/** Closes what is still open, with the programs in it. */
export function closeTerminals(): void {
  for (const terminal of open) terminal.close();
}
