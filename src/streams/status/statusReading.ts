import {
  defer,
  distinctUntilChanged,
  exhaustMap,
  filter,
  interval,
  map,
  merge,
  type Observable,
  of,
  type SchedulerLike,
  tap,
} from 'rxjs';
import { type Liveness, livenessOf } from '../../files/processIdentity.ts';
import { type Clock, systemClock } from '../../model/clock.ts';
import type { ProcessIdentity } from '../../model/entry.ts';
import { parseIso } from '../../model/localTime.ts';
import { sayOnce } from '../../model/sayOnce.ts';
import type { Connection, PipelineStatus, StatusReading } from '../../model/status.ts';
import { type FileText, readOwnText } from '../watched/fileText.ts';
import { touched$, watched$ } from '../watched/touched.ts';
import { normaliseStatus } from './normaliseStatus.ts';

export interface StatusReadingOptions {
  /** `flags/pipeline_status.json`, absolute. */
  readonly file: string;
  /** Told once of each reason why the file can't be watched or read; the last good reading stays meanwhile. */
  readonly onError: (error: Error) => void;
}

export interface StatusReadingDeps {
  readonly read: (path: string) => Promise<FileText>;
  readonly touched: (path: string) => Observable<void>;
  /** Whether a process still runs; `unknown` for one on another machine. */
  readonly liveness: (process: ProcessIdentity) => Liveness;
  readonly clock: Clock;
  readonly scheduler?: SchedulerLike;
}

/** Whether the processes live is asked this often, ms; and the file read, which a watch on a share tells nothing of. */
const pollEveryMs = 1_000;
/** A process on another machine that has said nothing for so long is not to be reached, ms. */
const silentMs = 15_000;
/** A one-shot reading waits so long for a sign of life from another machine whose clock tells nothing, ms. */
const signOfLifeMs = 3_000;

const systemDeps: StatusReadingDeps = {
  read: readOwnText,
  touched: touched$,
  liveness: livenessOf,
  clock: systemClock,
};

/**
 * What can be said of the pipeline of a root, from outside: its status file, and whether its processes live.
 *
 * Cold. Emits once the file was read, then whenever the status or the connection is another: a running pipeline writes about
 * once a second, a stopped one is silent. A half-written, foreign or unreadable file leaves the last reading as it is; one
 * that is gone is `none`. A process that ends without a word is noticed within a second. Never completes, never errors.
 * Teardown closes the watcher and the timers.
 */
export function statusReading$(
  { file, onError }: StatusReadingOptions,
  deps: Partial<StatusReadingDeps> = {},
): Observable<StatusReading> {
  const { read, touched, liveness, clock, scheduler } = { ...systemDeps, ...deps };
  return defer(() => {
    const reader = new StatusReader(liveness, clock);
    const say = sayOnce(onError);
    const report = (problem: string | null): void => say(problem === null ? null : new Error(`${file} ${problem}`));
    const moments$ = watched$(touched(file), { what: file, onError, pollEveryMs, scheduler });
    const looks$ = interval(pollEveryMs, scheduler);
    // A touch during a reading is dropped; the next look comes within a second.
    const readings$ = merge(of(null), moments$).pipe(
      exhaustMap(() => read(file)),
      tap(text => report(reader.take(text))),
    );
    // The looks besides: a reading that hangs, with its disk, must not hide that the processes are gone.
    return merge(readings$, looks$).pipe(
      filter(() => reader.begun),
      map(() => reader.reading()),
      distinctUntilChanged((a, b) => a.connection === b.connection && a.status === b.status),
    );
  });
}

/**
 * The same once, for a command. For a process on another machine it waits up to three seconds for a sign of life. Never
 * rejects: a file that can't be read, or is none of ours, is `none`, with the reason in `problem`.
 */
export async function readStatusOnce(
  file: string,
  deps: Partial<Omit<StatusReadingDeps, 'touched' | 'scheduler'>> = {},
): Promise<StatusReading & { problem: string | null }> {
  const { read, liveness, clock } = { ...systemDeps, ...deps };
  const reader = new StatusReader(liveness, clock, { trustsClocks: false });
  let problem = reader.take(await read(file));
  const until = clock.monotonic() + signOfLifeMs;
  while (reader.reading().connection === 'unreachable' && clock.monotonic() < until) {
    await new Promise(resolve => setTimeout(resolve, 250));
    problem = reader.take(await read(file));
  }
  return { ...reader.reading(), problem: problem && `${file} ${problem}` };
}

/** The last heartbeat of a process, and this machine's monotonic time when it came: the clock of another may be wrong. */
interface Beat {
  heartbeat: string;
  since: number;
}

/** What was read last, and since when each process on another machine has been silent. */
class StatusReader {
  /** Something was read, or could not be. */
  begun = false;
  readonly #liveness: (process: ProcessIdentity) => Liveness;
  readonly #clock: Clock;
  readonly #trustsClocks: boolean;
  #text: string | null = null;
  #status: PipelineStatus | null = null;
  #heartbeats = new Map<string, Beat>();

  constructor(
    liveness: (process: ProcessIdentity) => Liveness,
    clock: Clock,
    /** Whether a heartbeat that is new by the clocks of both machines is a sign of life. */
    { trustsClocks } = { trustsClocks: true },
  ) {
    this.#liveness = liveness;
    this.#clock = clock;
    this.#trustsClocks = trustsClocks;
  }

  /** Takes in what the file holds now. Returns what is wrong with it, or null. */
  take(read: FileText): string | null {
    this.begun = true;
    if (read.kind === 'unreadable') return read.reason;
    if (read.kind === 'missing') {
      this.#text = null;
      this.#status = null;
      this.#heartbeats.clear();
      return null;
    }
    if (read.text === this.#text) return null;
    const status = normaliseStatus(read.text);
    if (typeof status === 'string') return status;
    this.#text = read.text;
    this.#status = status;
    this.#hear(status);
    return null;
  }

  reading(): StatusReading {
    const status = this.#status;
    return status ? { connection: this.#connectionOf(status), status } : { connection: 'none', status: null };
  }

  #connectionOf({ processes }: PipelineStatus): Connection {
    const going = processes.filter(({ state }) => state !== 'stopped');
    if (going.length === 0) return 'stopped';
    const alive = going.map(process => this.#liveness(process));
    if (alive.includes('alive')) return 'running';
    const away = going.filter((_, i) => alive[i] === 'unknown');
    if (away.length === 0) return 'crashed';
    const now = this.#clock.monotonic();
    return away.some(process => now - this.#heartbeats.get(keyOf(process))!.since < silentMs)
      ? 'running'
      : 'unreachable';
  }

  #hear({ processes }: PipelineStatus): void {
    const now = this.#clock.monotonic();
    const heard = new Map<string, Beat>();
    for (const process of processes) {
      const { heartbeat } = process;
      const before = this.#heartbeats.get(keyOf(process));
      // Seen for the first time, it may be years old. If the clocks don't agree it is taken for silent until it changes.
      const isNew = this.#trustsClocks && Math.abs(this.#clock.now() - parseIso(heartbeat)) < silentMs;
      const fresh = before !== undefined || isNew;
      const since = before?.heartbeat === heartbeat ? before.since : fresh ? now : Number.NEGATIVE_INFINITY;
      heard.set(keyOf(process), { heartbeat, since });
    }
    this.#heartbeats = heard;
  }
}

const keyOf = ({ host, boot_id, pid, pid_start }: ProcessIdentity): string =>
  JSON.stringify([host, boot_id, pid, pid_start]);
