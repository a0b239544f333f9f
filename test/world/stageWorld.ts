import { Subject } from 'rxjs';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { Outcome, Rounds, Stage, StageFlow, Worker } from '../../src/operators/stage/stage.ts';

export interface WorldSettings {
  name: string;
  enabled?: boolean;
  concurrency?: number;
  batch?: number;
}

/** A queue in memory and a stage that works on it; a test replaces what it wants to go wrong. */
export class StageWorld {
  readonly waiting: string[] = [];
  readonly claimed = new Set<string>();
  readonly settled: string[] = [];
  /** What happened, in order. */
  readonly log: string[] = [];
  readonly wake$ = new Subject<void>();
  open = 0;
  maxOpen = 0;
  inFlight = 0;
  maxInFlight = 0;
  claiming = 0;
  maxClaiming = 0;

  onOpen: (settings: WorldSettings, signal: AbortSignal) => Promise<unknown> = async () => undefined;
  onClaim: (leaving: AbortSignal) => Promise<unknown> = async () => undefined;
  onPerform: (item: string, signal: AbortSignal) => Promise<unknown> = async () => undefined;
  onGiveBack: (items: readonly string[]) => Promise<unknown> = async () => undefined;
  /** Absent: the worker has no rounds. */
  rounds?: Rounds;
  onClose: (aborted: boolean) => Promise<unknown> = async () => undefined;

  offer(...items: string[]): void {
    this.waiting.push(...items);
    this.wake$.next();
  }

  stage(tools: Tools & StageFlow, more: Partial<Stage<WorldSettings, string, object>> = {}) {
    const stage: Stage<WorldSettings, string, object> = {
      name: 'compressor',
      exclusive: false,
      settings: () => ({ name: 'a' }),
      isEnabled: ({ enabled = true }) => enabled,
      pace: () => ({ intervalMs: null, perMinute: null }),
      entriesOf: item => [item],
      begin: () => ({ open: (settings, signal) => this.#open(settings, signal) }),
      ...more,
    };
    return runStage(stage, { tools }, tools);
  }

  async #open(settings: WorldSettings, signal: AbortSignal): Promise<Worker<string>> {
    this.log.push(`open ${settings.name}`);
    await this.onOpen(settings, signal);
    this.maxOpen = Math.max(this.maxOpen, ++this.open);
    return {
      concurrency: settings.concurrency ?? 2,
      batch: settings.batch ?? 2,
      wake$: this.wake$,
      claim: async (count, leaving) => {
        this.maxClaiming = Math.max(this.maxClaiming, ++this.claiming);
        try {
          await this.onClaim(leaving);
        } finally {
          this.claiming--;
        }
        const items = this.waiting.splice(0, count);
        for (const item of items) this.claimed.add(item);
        return items;
      },
      process: async (item, signal) => this.#perform(item, signal),
      ...(this.rounds && { rounds: this.rounds }),
      release: async items => {
        this.log.push(`release ${items.join(' ')}`.trim());
        await this.onGiveBack(items);
        for (const item of items) if (this.claimed.delete(item)) this.waiting.unshift(item);
      },
      close: async aborted => {
        this.log.push(aborted ? `cut ${settings.name}` : `close ${settings.name}`);
        try {
          await this.onClose(aborted);
        } finally {
          this.open--;
        }
      },
    };
  }

  async #perform(item: string, signal: AbortSignal): Promise<Outcome[]> {
    this.maxInFlight = Math.max(this.maxInFlight, ++this.inFlight);
    try {
      await this.onPerform(item, signal);
    } finally {
      this.inFlight--;
    }
    if (signal.aborted) return [];
    this.claimed.delete(item);
    this.settled.push(item);
    if (item.startsWith('bad')) return [{ kind: 'failed', entryId: item, error: 'bad' }];
    if (item.startsWith('odd')) return [{ kind: 'discarded', entryId: item, reason: 'odd' }];
    return [{ kind: 'done', entryId: item, detail: {} }];
  }
}

/** Something that waits until it is let go, and then goes well or fails. */
export function gate(): { pass: () => Promise<void>; open: () => void; fail: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined);
  return { pass: () => promise, open: () => resolve(), fail: reject };
}

export const failure = (code: string): Error => Object.assign(new Error(`${code}: as the test wants it`), { code });
