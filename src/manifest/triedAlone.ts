import type { Observable } from 'rxjs';
import { sameProcess } from '../files/processIdentity.ts';
import type { Entry, ProcessIdentity } from '../model/entry.ts';
import type { LiveEntries } from './liveEntries.ts';
import { isTriedAlone } from './processDeaths.ts';
import { type QueueStage, queueStages } from './stageWork.ts';

/** What else is in flight may hang: so long an entry that is tried alone waits for it, ms. */
export const alonePatienceMs = 60_000;
const pollMs = 1_000;

export interface TriedAloneOptions {
  own: ProcessIdentity;
  live: () => LiveEntries;
  /** How many archived entries this process has in flight. */
  archivedInWork: () => number;
}

/**
 * An entry that this process tries alone (see `processDeaths`): a stage waits until nothing else is in flight, claims the entry and works on
 * it, and no stage begins anything beside it.
 */
export class TriedAlone {
  readonly #options: TriedAloneOptions;
  #alone: { stage: QueueStage; id: string | null; isClaimed: boolean } | null = null;

  constructor(options: TriedAloneOptions) {
    this.#options = options;
  }

  /** Whether an entry is tried alone, or waits for that, and the stage must not begin anything beside it. */
  isHeldUp(stage: QueueStage): boolean {
    const alone = this.#alone;
    if (alone === null) return false;
    if (alone.id === null || !alone.isClaimed) return alone.stage !== stage;
    const claim = this.#options.live().get(alone.id)?.claims[alone.stage];
    if (claim && sameProcess(claim, this.#options.own)) return true;
    this.#alone = null;
    return false;
  }

  /** How a stage may claim an entry: with others, alone now, or alone once nothing else is in flight. */
  wayOf(entry: Entry, stage: QueueStage, isPatienceOver: boolean): 'with others' | 'alone' | 'wait' {
    if (!isTriedAlone(entry, stage, this.#options.own.boot_id)) return 'with others';
    const mustWait = !isPatienceOver && this.#worksOnAny();
    this.#alone = { stage, id: mustWait ? null : entry.entry_id, isClaimed: false };
    return mustWait ? 'wait' : 'alone';
  }

  /** The claim of a stage is durable. */
  claimed(stage: QueueStage): void {
    if (this.#alone?.stage === stage && this.#alone.id !== null) this.#alone.isClaimed = true;
  }

  /** A stage claims no more for now: what it did not claim alone is tried next time. */
  gaveUp(stage: QueueStage): void {
    if (this.#alone?.stage === stage && !this.#alone.isClaimed) this.#alone = null;
  }

  #worksOnAny(): boolean {
    const { own, live, archivedInWork } = this.#options;
    if (archivedInWork() > 0) return true;
    return queueStages.some(stage => {
      for (const { claims } of live().claimed(stage)) if (sameProcess(claims[stage]!, own)) return true;
      return false;
    });
  }
}

/** Resolves with the next change, after a moment, or when `leaving` aborts. */
export async function nextChange(changes$: Observable<unknown>, leaving: AbortSignal | undefined): Promise<void> {
  await new Promise<void>(resolve => {
    const end = (): void => {
      clearTimeout(timer);
      listening.unsubscribe();
      leaving?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, pollMs);
    const listening = changes$.subscribe({ next: () => setImmediate(end), complete: end });
    if (leaving?.aborted) end();
    else leaving?.addEventListener('abort', end);
  });
}
