import { setImmediate as turn } from 'node:timers/promises';
import { BehaviorSubject, type Observable, of, ReplaySubject, type Subscription } from 'rxjs';
import sharp from 'sharp';
import { vi } from 'vitest';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import type { PipelineEvent } from '../../src/model/event.ts';
import type { StageName } from '../../src/model/stageName.ts';
import type { StageStatus } from '../../src/model/status.ts';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import { emptyStatus, reduceStatus, statusOf } from '../../src/sinks/status/statusOfEvents.ts';

/** Timers and the clock stand still until a test moves them; promises and files go on. */
export function useStillTime(): void {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    now: 1_753_364_713_000,
  });
}

/** Something that has not come after so long, by the machine's own clock, does not come, ms. */
const patienceMs = 50_000;

/** A stream of what happens, with somebody who writes it down, and the tools that the pipeline gives to its stages. */
export class EventRun<E extends PipelineEvent = PipelineEvent> {
  readonly stop$ = new ReplaySubject<void>(1);
  /** Whether something is at work that takes the machine's own time: a real disk. */
  isBusy: () => boolean = () => false;
  readonly upstreamDone$ = new ReplaySubject<void>(1);
  readonly paused$ = new BehaviorSubject(false);
  /** Stages that have given a sign of life. */
  readonly alive: StageName[] = [];
  readonly events: E[] = [];
  /** Each event in a word or two, in order. */
  readonly told: string[] = [];
  readonly tracked = new Set<Promise<unknown>>();
  /** What the experiment gives to its stages, and how the graph steers them. */
  readonly tools: Tools & StageFlow;
  complete = false;
  error: unknown = null;
  #subscription: Subscription | null = null;
  #ids = 0;
  #jumpedMs = 0;

  constructor(random = (): number => 0.5) {
    this.tools = {
      clock: { now: () => Date.now(), monotonic: () => Date.now() - this.#jumpedMs },
      random,
      newId: () => `id${String(this.#ids++).padStart(6, '0')}`,
      stop$: this.stop$,
      upstreamDone$: this.upstreamDone$,
      paused$: this.paused$,
      config$: of(defaultConfig()),
      heartbeat: stage => this.alive.push(stage),
      track: promise => {
        const settled: Promise<unknown> = promise
          .catch(() => undefined)
          .finally(() => {
            this.tracked.delete(settled);
          });
        this.tracked.add(settled);
        return promise;
      },
    };
  }

  listen(events$: Observable<E>): void {
    this.#subscription = events$.subscribe({
      next: event => {
        this.events.push(event);
        this.told.push(brief(event));
      },
      error: (error: unknown) => {
        this.error = error;
      },
      complete: () => {
        this.complete = true;
      },
    });
  }

  /** Somebody, or a time server, sets the wall clock; timers and the monotonic clock go on as before. */
  setClock(ms: number): void {
    this.#jumpedMs += ms - Date.now();
    vi.setSystemTime(ms);
  }

  unsubscribe(): void {
    this.#subscription?.unsubscribe();
  }

  /** Waits, as the pipeline does before it closes the manifest. */
  async putAway(): Promise<void> {
    while (this.tracked.size > 0) await Promise.all(this.tracked);
  }

  /**
   * Goes on, moving the clock by `ms` each turn, until something is so. The clock stands still while an image is encoded, or
   * `isBusy` says so: that takes the machine's own time, and with a busy one hours would have passed.
   */
  async until(isSo: () => unknown, ms = 0): Promise<void> {
    const begun = performance.now();
    while (performance.now() - begun < patienceMs) {
      if (isSo()) return;
      await vi.advanceTimersByTimeAsync(isEncoding() || this.isBusy() ? 0 : ms);
      await turn();
    }
    throw new Error(`It never came to that: ${isSo.toString()}\ntold last: ${this.told.slice(-100).join(', ')}`);
  }

  /** Lets everything happen that needs no time. */
  async rest(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(0);
      await turn();
    }
  }

  /** What the status file would say of the stage. */
  status(stage: StageName): StageStatus & { alarms: string[] } {
    const state = this.events.reduce(reduceStatus, emptyStatus);
    const status = statusOf(
      state,
      { host: 'pi', boot_id: 'b', pid: 1, pid_start: 1 },
      { runId: 'run', startedAt: 0, at: Date.now() },
    );
    return { ...status.stages[stage]!, alarms: status.alarms.map(({ key }) => key) };
  }

  count(kind: E['kind']): number {
    return this.events.filter(event => event.kind === kind).length;
  }
}

function isEncoding(): boolean {
  const { queue, process: atWork } = sharp.counters();
  return queue + atWork > 0;
}

function brief(event: PipelineEvent): string {
  switch (event.kind) {
    case 'state':
      return event.state;
    case 'claimed':
      return `claimed ${event.count}`;
    case 'done':
      return `done ${event.entryId}`;
    case 'failed':
      return `failed ${event.entryId}`;
    case 'discarded':
      return `discarded ${event.entryId}`;
    case 'alarm':
      return `alarm ${event.key}`;
    case 'well':
      return `well ${event.key}`;
    case 'queued':
      return `${event.stage} queued ${event.count}`;
    case 'note':
      return `note ${event.message}`;
    default:
      return event.kind;
  }
}
