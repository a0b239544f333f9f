import { Observable, type SchedulerLike, Subscription, timer } from 'rxjs';
import type { Clock } from '../../model/clock.ts';
import type { NoteEvent, PipelineEvent } from '../../model/event.ts';
import { oneLine } from '../../model/shownText.ts';
import { type AlarmNotice, DeliveryError, type DeliveryOptions } from './alarmOutlet.ts';
import { AlarmQueue } from './alarmQueue.ts';
import { hostOf, postAlarm } from './postAlarm.ts';
import { runAlarmCommand } from './runAlarmCommand.ts';

/** `[Alarms]` of the configuration. */
export interface AlarmSettings {
  /** Program and arguments; empty: none. */
  command: readonly string[];
  /** Address; empty: none. */
  webhook: string;
  quietMs: number;
}

export interface AlarmsOptions {
  /** The first value comes at once. */
  settings$: Observable<AlarmSettings>;
  /** Folder of the experiment, this machine, and the run, as the notices name them. */
  root: string;
  host: string;
  runId: string;
  clock: Clock;
  /** From 0 to 1; spreads the waits after a failure. */
  random: () => number;
  scheduler?: SchedulerLike;
  /** First and longest wait after a webhook has failed, ms. */
  backOff?: { firstMs: number; longestMs: number };
  commandTimeoutMs?: number;
  webhookTimeoutMs?: number;
  /** When the events are over, what is on its way has so long to arrive, ms. */
  lastMs?: number;
}

/** A timer can't run longer than 24 days. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Tells a program and a web server of each alarm that is raised or cleared; see `AlarmQueue` for what is told when.
 *
 * Never holds the events up. One program runs at a time and one request is on its way; a webhook that can't be reached is
 * tried again after growing waits, a program that fails is not. Emits a note for each new reason why it can't be told, and when
 * it can again. Completes when the events have completed and what could still be told was, a few seconds later at the latest;
 * errors only with the events. Teardown ends a program that runs, with all that it has started, and the request. Subscribe once.
 */
export function alarms(events$: Observable<PipelineEvent>, options: AlarmsOptions): Observable<NoteEvent> {
  return new Observable<NoteEvent>(subscriber => {
    const gone = new AbortController();
    const running = new Subscription();
    const note = (level: NoteEvent['level'], message: string): void =>
      subscriber.next({ kind: 'note', at: options.clock.now(), level, stage: null, message });
    const { commandTimeoutMs = 30_000, webhookTimeoutMs = 10_000, lastMs = 5_000 } = options;
    const lanes = [
      new Lane(options, gone.signal, note, ({ command }) => {
        if (command.length === 0) return null;
        const timeoutMs = commandTimeoutMs;
        return {
          name: 'the alarm command',
          deliver: (notice, by) => runAlarmCommand(command, notice, { ...by, timeoutMs }),
        };
      }),
      new Lane(options, gone.signal, note, ({ webhook }) => {
        if (webhook === '') return null;
        const timeoutMs = webhookTimeoutMs;
        return {
          name: `the webhook at ${hostOf(webhook)}`,
          deliver: (notice, by) => postAlarm(webhook, notice, { ...by, timeoutMs }),
        };
      }),
    ];
    const finish = (): void => {
      for (const lane of lanes) lane.finish();
      const over = Promise.all(lanes.map(lane => lane.idle()));
      const end = (): void => subscriber.complete();
      void over.then(end);
      running.add(timer(lastMs, options.scheduler).subscribe(end));
    };
    running.add(
      options.settings$.subscribe({
        next: settings => {
          for (const lane of lanes) lane.configure(settings);
        },
        error: error => subscriber.error(error),
      }),
    );
    running.add(
      events$.subscribe({
        next: event => {
          if (event.kind === 'alarm' || event.kind === 'well') for (const lane of lanes) lane.take(event);
        },
        error: error => subscriber.error(error),
        complete: finish,
      }),
    );
    return () => {
      gone.abort();
      running.unsubscribe();
      for (const lane of lanes) lane.close();
    };
  });
}

interface Outlet {
  name: string;
  /** @throws DeliveryError */
  deliver: (notice: AlarmNotice, by: Pick<DeliveryOptions, 'signal'>) => Promise<void>;
}

/** One outlet with its queue: one delivery at a time. */
class Lane {
  readonly #queue = new AlarmQueue();
  readonly #options: AlarmsOptions;
  readonly #signal: AbortSignal;
  readonly #note: (level: NoteEvent['level'], message: string) => void;
  readonly #outletOf: (settings: AlarmSettings) => Outlet | null;
  #outlet: Outlet | null = null;
  #quietMs = 0;
  #delivering = false;
  #finishing = false;
  #failures = 0;
  #lastReason: string | null = null;
  #waiting = new Subscription();
  /** Not before this, monotonic ms. */
  #notBefore = Number.NEGATIVE_INFINITY;
  #onIdle: (() => void)[] = [];

  constructor(
    options: AlarmsOptions,
    signal: AbortSignal,
    note: (level: NoteEvent['level'], message: string) => void,
    outletOf: (settings: AlarmSettings) => Outlet | null,
  ) {
    this.#options = options;
    this.#signal = signal;
    this.#note = note;
    this.#outletOf = outletOf;
  }

  configure(settings: AlarmSettings): void {
    this.#outlet = this.#outletOf(settings);
    this.#quietMs = settings.quietMs;
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#goOn();
  }

  take(change: Parameters<AlarmQueue['take']>[0]): void {
    this.#queue.take(change, this.#outlet !== null);
    this.#goOn();
  }

  /** Nothing will come any more: what has to wait is left. */
  finish(): void {
    this.#finishing = true;
    this.#goOn();
  }

  /** Resolves when nothing is on its way, and nothing will be. */
  idle(): Promise<void> {
    if (!this.#delivering) return Promise.resolve();
    return new Promise(resolve => this.#onIdle.push(resolve));
  }

  close(): void {
    this.#waiting.unsubscribe();
  }

  #goOn(): void {
    this.#waiting.unsubscribe();
    const now = this.#options.clock.monotonic();
    const rests = this.#delivering || this.#signal.aborted || !this.#outlet;
    const next = rests ? null : this.#queue.next(now, this.#quietMs);
    const waitMs = Math.max(this.#notBefore - now, next && 'waitMs' in next ? next.waitMs : 0);
    if (this.#outlet && next && 'news' in next && waitMs <= 0) void this.#deliver(this.#outlet, next.news);
    else if (next === null || this.#finishing) this.#announceIdle();
    else {
      const { scheduler } = this.#options;
      this.#waiting = timer(Math.min(waitMs, longestTimerMs), scheduler).subscribe(() => this.#goOn());
    }
  }

  #announceIdle(): void {
    if (this.#delivering) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  async #deliver(outlet: Outlet, news: Parameters<AlarmQueue['delivered']>[0]): Promise<void> {
    const { clock, root, host, runId: run_id } = this.#options;
    this.#delivering = true;
    const text = oneLine(
      `${host} ${root}: ${news.stage} ${news.state === 'raised' ? news.message : `over: ${news.message}`}`,
    );
    try {
      await outlet.deliver({ ...news, root, host, run_id, text }, { signal: this.#signal });
      this.#queue.delivered(news, clock.monotonic());
      if (this.#lastReason !== null) this.#note('info', `${outlet.name} takes alarms again`);
      this.#lastReason = null;
      this.#failures = 0;
    } catch (error) {
      if (!this.#signal.aborted) this.#failed(outlet, news, error as Error);
    }
    this.#delivering = false;
    this.#goOn();
  }

  #failed({ name }: Outlet, news: Parameters<AlarmQueue['delivered']>[0], error: Error): void {
    const { clock, random, backOff = { firstMs: 1_000, longestMs: 300_000 } } = this.#options;
    const again = error instanceof DeliveryError && error.again;
    const now = clock.monotonic();
    if (again) {
      const waitMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** this.#failures) * (0.75 + random() / 2);
      this.#notBefore = now + waitMs;
      this.#failures++;
    } else this.#queue.delivered(news, now);
    if (error.message === this.#lastReason) return;
    this.#lastReason = error.message;
    const then = again ? '; it is tried again' : '';
    this.#note('warning', `${name} could not be told of an alarm (${news.stage}): ${error.message}${then}`);
  }
}
