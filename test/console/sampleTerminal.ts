import { PassThrough, Writable } from 'node:stream';
import { VirtualTimeScheduler } from 'rxjs';
import type { ConsoleTerminal } from '../../src/console/openConsole.ts';
import { noon } from './sampleConsole.ts';
import { TerminalScreen } from './terminalScreen.ts';

export interface SampleTerminal {
  terminal: ConsoleTerminal;
  screen: TerminalScreen;
  /** Everything that was written. */
  written: () => string;
  /** What reached the error output. */
  errors: () => string;
  isRaw: () => boolean;
  type: (text: string) => Promise<void>;
  resize: (columns: number, rows: number) => Promise<void>;
  /** Lets virtual time pass. */
  pass: (ms: number) => Promise<void>;
  /** Waits until what is to be written has been. */
  settle: () => Promise<void>;
}

/** A terminal in memory, in virtual time. */
export function sampleTerminal(
  columns = 80,
  rows = 24,
  environment: Record<string, string> = {},
  /** Remember all that was written. */
  keep = true,
): SampleTerminal {
  const screen = new TerminalScreen();
  let written = '';
  let errors = '';
  let isRaw = false;
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => {
      isRaw = raw;
    },
  });
  Object.defineProperty(input, 'isRaw', { get: () => isRaw });
  const output = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        if (keep) written += chunk;
        screen.write(String(chunk));
        done();
      },
    }),
    { isTTY: true, columns, rows },
  );
  const errorOutput = new Writable({
    write(chunk, _encoding, done) {
      errors += chunk;
      done();
    },
  });
  const scheduler = new VirtualTimeScheduler(undefined, 0);
  const terminal = {
    input,
    output,
    errorOutput,
    environment: { TERM: 'xterm-256color', LANG: 'C.UTF-8', ...environment },
    clock: { now: () => noon + scheduler.frame, monotonic: () => scheduler.frame },
    scheduler,
  } as unknown as ConsoleTerminal;
  const settle = async (): Promise<void> => {
    // blessed hands on what it has drawn in the next turn of the loop.
    for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve));
  };
  return {
    terminal,
    screen,
    written: () => written,
    errors: () => errors,
    isRaw: () => isRaw,
    settle,
    type: async text => {
      input.write(text);
      await settle();
    },
    resize: async (toColumns, toRows) => {
      Object.assign(output, { columns: toColumns, rows: toRows });
      output.emit('resize');
      await settle();
    },
    pass: async ms => {
      scheduler.maxFrames = scheduler.frame + ms;
      scheduler.flush();
      scheduler.frame = scheduler.maxFrames;
      await settle();
    },
  };
}
