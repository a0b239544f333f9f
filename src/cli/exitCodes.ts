import { constants } from 'node:os';
import type { StopSignal } from '../streams/stopSignals.ts';

/** What the program's exit code means. */
export const exitCodes = { done: 0, failed: 1, usage: 2, running: 3 } as const;

/** Exit code of work that a signal cut short: 130 for Ctrl-C, 143 for SIGTERM. */
export function signalExitCode(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}

/** An end that the user is told of in words, with its exit code. */
export class ExitError extends Error {
  override name = 'ExitError';
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
