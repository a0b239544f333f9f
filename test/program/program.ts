import { type ChildProcess, spawn } from 'node:child_process';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testFileVariable } from '../setup/wholeRun.ts';
import { timeOf } from '../world/timeOf.ts';

/** The launcher, as a user starts it. */
export const launcher = fileURLToPath(new URL('../../bin/phorest.js', import.meta.url));

export interface StartOptions {
  cwd?: string;
  /** The Node that starts the launcher; the one of the tests unless given. */
  node?: string;
  program?: string;
  env?: NodeJS.ProcessEnv;
}

export interface Ended {
  /** As a shell shows it: 128 + number for a process that a signal ended. */
  code: number;
  stdout: string;
  stderr: string;
}

/** An event as `--log-format json` prints it. */
export interface EventLine {
  kind: string;
  stage?: string;
  entryId?: string;
  [key: string]: unknown;
}

interface Waiting {
  look: () => boolean;
  fail: (error: Error) => void;
}

/**
 * The real program in a process of its own. Tests wait for what it prints, or for its end; never for time to pass.
 */
export class Program {
  /** So long a wait may take before the test fails with all that the program said, ms. */
  static patienceMs = 60_000;
  /** As the times below: without what it and this process wait for a core. */
  readonly started: number;
  /** Resolves when the process has ended and all it printed was read. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #now = timeOf(() => [process.pid, this.#child.pid ?? 0]);
  readonly #words: readonly string[];
  #firstDoneAt: number | null = null;
  #stdout = '';
  #stderr = '';
  #end: Ended | null = null;
  #lines: string[] = [];
  readonly #waiting = new Set<Waiting>();

  constructor(words: readonly string[], options: StartOptions = {}) {
    const { cwd = tmpdir(), node = process.execPath, program = launcher, env = {} } = options;
    this.#words = words;
    // A group of its own: signals reach the program as a terminal would send them, and leftovers can be ended together.
    this.#child = spawn(node, [program, ...words], {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.started = this.#now();
    running.add(this);
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest() + text).split('\n');
      this.#stdout += text;
      lines.pop();
      this.#lines.push(...lines);
      if (this.#firstDoneAt === null && lines.some(line => line.includes('"kind":"done"'))) {
        this.#firstDoneAt = this.#now();
      }
      this.#look();
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#look();
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        running.delete(this);
        this.#end = {
          code: code ?? 128 + constants.signals[signal!],
          stdout: this.#stdout,
          stderr: this.#stderr,
        };
        this.#look();
        resolve(this.#end);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Whole lines of stdout so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** When it had told of the first image that a stage was done with, as `started`. */
  get firstDoneAt(): number | null {
    return this.#firstDoneAt;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Events so far, of a program that was started with `--log-format json`. */
  get events(): EventLine[] {
    return this.#lines.flatMap(line => {
      try {
        return [JSON.parse(line) as EventLine];
      } catch {
        return [];
      }
    });
  }

  /** Resolves with what `find` returns as soon as that is something; looks again whenever the program prints. */
  until<T>(what: string, find: () => T | null | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const give = (act: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        act();
      };
      const waiting: Waiting = {
        look: () => {
          const found = find();
          if (found === null || found === undefined || found === false) return false;
          give(() => resolve(found));
          return true;
        },
        fail: error => give(() => reject(error)),
      };
      const { patienceMs } = Program;
      const timer = setTimeout(() => waiting.fail(this.#lacking(what, `in ${patienceMs / 1000} s`)), patienceMs);
      this.#waiting.add(waiting);
      if (!waiting.look() && this.#end) waiting.fail(this.#lacking(what, `before it ended with ${this.#end.code}`));
    });
  }

  /** The first event from number `from` on that is as asked. */
  untilEvent(what: string, is: (event: EventLine) => boolean, from = 0): Promise<EventLine> {
    return this.until(what, () => this.events.slice(from).find(is));
  }

  /** `count` images have come through a stage. */
  untilDone(stage: string, count: number): Promise<true> {
    return this.until(`${count} done by the ${stage}`, () => this.doneBy(stage).length >= count);
  }

  /** Ids of the entries that a stage said to be done, in that order. */
  doneBy(stage: string): string[] {
    return this.events.filter(event => event.kind === 'done' && event.stage === stage).map(({ entryId }) => entryId!);
  }

  /** To the started process alone, as `kill` does. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** To the whole group, as Ctrl-C in a terminal does. */
  signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Drains it and resolves with its end. */
  stop(): Promise<Ended> {
    this.signal('SIGINT');
    return this.ended;
  }

  /** The reader of its output goes away. */
  closeStdout(): void {
    this.#child.stdout!.destroy();
  }

  #rest(): string {
    return this.#stdout.slice(this.#stdout.lastIndexOf('\n') + 1);
  }

  #look(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.look() && this.#end) {
        const { code } = this.#end;
        waiting.fail(new Error(`phorest ended with ${code} instead. ${this.#said()}`));
      }
    }
  }

  #lacking(what: string, when: string): Error {
    return new Error(`no ${what} ${when}. ${this.#said()}`);
  }

  #said(): string {
    return `phorest ${this.#words.join(' ')} said:\n${this.#stdout.slice(-6000)}\n${this.#stderr.slice(-2000)}`;
  }
}

/** Programs that have not ended. */
export const running = new Set<Program>();

/** Nothing of this machine's or the test runner's settings reaches the program. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, TZ, TMPDIR, [testFileVariable]: testFile } = process.env;
  return {
    ...(PATH !== undefined && { PATH }),
    ...(HOME !== undefined && { HOME }),
    ...(LANG !== undefined && { LANG }),
    ...(TZ !== undefined && { TZ }),
    ...(TMPDIR !== undefined && { TMPDIR }),
    ...(testFile !== undefined && { [testFileVariable]: testFile }),
    // What the program remembers of experiments is not for the home of whoever runs the tests.
    XDG_STATE_HOME: join(tmpdir(), 'phorest-test-state'),
  };
}
