import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessIdentity } from '../model/entry.ts';
import { type Liveness, livenessOf } from './processIdentity.ts';

export interface DistantProcessesOptions {
  /** What a process says of itself, and says anew about once a second while it lives: the text of its status file; null: nothing. */
  sign: (process: ProcessIdentity) => string | null;
  /** Clock of this machine that is never set, ms: that of another may be wrong. */
  monotonic: () => number;
  liveness?: (process: ProcessIdentity) => Liveness;
}

/** A process that nobody can ask, and that has shown no sign of life for so long, is gone, ms. */
export const distantSilenceMs = 20_000;
/** A sign is not looked for oftener, ms: many claims may ask. */
const pollEveryMs = 500;

interface Heard {
  sign: string | null;
  /** When it was new. */
  since: number;
  lookedAt: number;
  isGone: boolean;
}

/**
 * Whether processes live, also those that nobody here can ask: of another machine, or of this one before it got another name (a disk
 * that was moved, a Raspberry Pi that was renamed, and then the power failed). Such a one counts as `unknown` until this process has seen
 * it silent for {@link distantSilenceMs}, and is `gone` from then on, until it shows a sign of life.
 *
 * One that only slept so long is taken for gone too. What it does then counts as that of a process that was suspended: its claims are
 * void, and it sees that its stages are not its own any more.
 */
export class DistantProcesses {
  readonly #options: DistantProcessesOptions;
  readonly #heard = new Map<string, Heard>();

  constructor(options: DistantProcessesOptions) {
    this.#options = options;
  }

  liveness = (process: ProcessIdentity): Liveness => {
    const answer = (this.#options.liveness ?? livenessOf)(process);
    return answer === 'unknown' && this.#listen(process).isGone ? 'gone' : answer;
  };

  /** From now on it is taken for gone, as its user says, until it shows a sign of life. */
  giveUp(process: ProcessIdentity): void {
    this.#listen(process).isGone = true;
  }

  /** Resolves with true once a process that nobody can ask has been silent for long enough, with false as soon as it shows a sign of life. */
  async untilSilent(process: ProcessIdentity): Promise<boolean> {
    const { since } = this.#listen(process);
    while (this.liveness(process) === 'unknown') {
      if (this.#listen(process).since !== since) return false;
      await pause(pollEveryMs);
    }
    return true;
  }

  #listen(process: ProcessIdentity): Heard {
    const { sign, monotonic } = this.#options;
    const now = monotonic();
    const key = JSON.stringify([process.host, process.boot_id, process.pid, process.pid_start]);
    const before = this.#heard.get(key);
    if (before && now - before.lookedAt < pollEveryMs) return before;
    const text = sign(process);
    // That its file vanishes, or can't be read, is none.
    const isNew = !before || (text !== null && text !== before.sign);
    const heard = isNew
      ? { sign: text, since: now, lookedAt: now, isGone: false }
      : { ...before, lookedAt: now, isGone: before.isGone || now - before.since >= distantSilenceMs };
    this.#heard.set(key, heard);
    return heard;
  }
}
