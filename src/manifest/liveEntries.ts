import type { Entry } from '../model/entry.ts';
import type { StageName } from '../model/stageName.ts';
import { applyChange, type Change } from './change.ts';
import { awaitsCopy } from './isSettled.ts';
import { StageQueue } from './stageQueue.ts';
import { type QueueStage, queueStages, stageWork } from './stageWork.ts';
import { noRules, takesSpace, type WorkRules } from './workRules.ts';

interface Live {
  entry: Entry;
  /** Place in the order of collection. */
  place: number;
}

/** What entries were at some moment, of those that have changed since; null: not there yet. */
type Base = Map<string, Entry | null>;

/**
 * The live entries in order of collection, with one index a stage. Pure memory: no files, no time. Every change goes
 * through {@link apply}, so that each process that reads the same lines holds the same state.
 */
export class LiveEntries {
  readonly #live = new Map<string, Live>();
  readonly #queues = new Map<QueueStage, StageQueue>(queueStages.map(stage => [stage, new StageQueue()]));
  /** Places of claimed entries by stage. */
  readonly #claimed = new Map<StageName, Map<string, number>>();
  readonly #isSettled: (entry: Entry) => boolean;
  readonly #rules: () => WorkRules;
  #settled = 0;
  #awaitingCopy = 0;
  #localImages = 0;
  #nextPlace = 0;
  /** As the snapshot that was published last has them. */
  #published: Base = new Map();
  /** At the beginning of the present journal. */
  #atJournal: Base = this.#published;

  constructor(isSettled: (entry: Entry) => boolean, rules: () => WorkRules = () => noRules) {
    this.#isSettled = isSettled;
    this.#rules = rules;
  }

  get size(): number {
    return this.#live.size;
  }

  /** Entries that no stage has anything left to do with. */
  get settled(): number {
    return this.#settled;
  }

  /** Entries that wait for nothing but their copy on the share. */
  get awaitingCopy(): number {
    return this.#awaitingCopy;
  }

  /** Images on this machine that are not originals. */
  get localImages(): number {
    return this.#localImages;
  }

  get(id: string): Entry | undefined {
    return this.#live.get(id)?.entry;
  }

  waiting(stage: QueueStage): number {
    return this.#queues.get(stage)!.size;
  }

  *entries(): Generator<Entry> {
    for (const { entry } of this.#live.values()) yield entry;
  }

  /** Those that are settled, or wait for their copy alone, oldest first, at most `count`. */
  *oldestIdle(count: number, { settledOnly }: { settledOnly: boolean }): Generator<Entry> {
    let found = 0;
    for (const { entry } of this.#live.values()) {
      if (found === count) return;
      if (!this.#isSettled(entry) && (settledOnly || !this.awaitsCopy(entry))) continue;
      found++;
      yield entry;
    }
  }

  /** Whether nothing is left to do with an entry but to copy its image to the share. */
  awaitsCopy(entry: Entry): boolean {
    return awaitsCopy(entry, this.#rules());
  }

  /** Entries that a stage has claimed, whoever did. */
  *claimed(stage: StageName): Generator<Entry> {
    for (const id of this.#claimed.get(stage)?.keys() ?? []) yield this.#live.get(id)!.entry;
  }

  claimedCount(stage: StageName): number {
    return this.#claimed.get(stage)?.size ?? 0;
  }

  /** The first entry that waits for a stage and stands before `limit` in the order of collection. */
  firstWaiting(stage: QueueStage, limit = Number.POSITIVE_INFINITY): Entry | undefined {
    const first = this.#queues.get(stage)!.first();
    return first && first.place < limit ? this.#live.get(first.id)!.entry : undefined;
  }

  placeOf(id: string): number {
    return this.#live.get(id)!.place;
  }

  /** Takes over an entry as a snapshot has it. */
  load(entry: Entry): void {
    this.#put(entry.entry_id, { entry, place: this.#nextPlace++ });
  }

  /**
   * Applies one change where it counts.
   *
   * @returns a function that takes it back (last applied first), or null when the change does not count here.
   */
  apply(change: Change): (() => void) | null {
    const before = this.#live.get(change.id);
    const entry = applyChange(before?.entry, change);
    if (entry === undefined) return null;
    const bases = [this.#published, this.#atJournal].filter(base => !base.has(change.id));
    for (const base of bases) base.set(change.id, before?.entry ?? null);
    if (entry === null) this.#remove(change.id, before!);
    else this.#put(change.id, { entry, place: before?.place ?? this.#nextPlace++ });
    return () => {
      for (const base of bases) base.delete(change.id);
      const now = this.#live.get(change.id);
      if (!before) this.#remove(change.id, now!);
      else {
        this.#put(change.id, before);
        if (!now) this.#restoreOrder();
      }
    };
  }

  /** A map keeps the order of insertion: one that was taken out and put back stands at the end. */
  #restoreOrder(): void {
    const ordered = [...this.#live].sort(([, a], [, b]) => a.place - b.place);
    this.#live.clear();
    for (const [id, live] of ordered) this.#live.set(id, live);
  }

  /** A journal begins. */
  journalBegan(): void {
    this.#atJournal = new Map();
  }

  /** From now on the published snapshot is the state at the beginning of the present journal. */
  markPublished(): void {
    this.#published = this.#atJournal;
  }

  /** The entry as the last published snapshot has it; null when it was not in it, or is not live any more. */
  published(id: string): Entry | null {
    const live = this.#live.get(id);
    if (!live) return null;
    return this.#published.has(id) ? this.#published.get(id)! : live.entry;
  }

  /** The rules are others: which entries wait for which stage, and which are settled, is found anew. */
  rulesChanged(): void {
    this.#settled = 0;
    this.#awaitingCopy = 0;
    this.#localImages = 0;
    for (const [id, live] of this.#live) {
      this.#count(live.entry, +1);
      this.#queue(id, live);
    }
  }

  #put(id: string, live: Live): void {
    const before = this.#live.get(id);
    this.#live.set(id, live);
    if (before) this.#count(before.entry, -1);
    this.#count(live.entry, +1);
    this.#queue(id, live);
    this.#index(id, live.place, before?.entry.claims ?? {}, live.entry.claims);
  }

  #remove(id: string, live: Live): void {
    this.#live.delete(id);
    this.#count(live.entry, -1);
    for (const queue of this.#queues.values()) queue.delete(id);
    this.#index(id, live.place, live.entry.claims, {});
  }

  #queue(id: string, { entry, place }: Live): void {
    const rules = this.#rules();
    for (const stage of queueStages) {
      const queue = this.#queues.get(stage)!;
      if (stageWork[stage](entry, rules)) queue.add(id, place);
      else queue.delete(id);
    }
  }

  #count(entry: Entry, sign: 1 | -1): void {
    if (this.#isSettled(entry)) this.#settled += sign;
    if (this.awaitsCopy(entry)) this.#awaitingCopy += sign;
    if (takesSpace(entry)) this.#localImages += sign;
  }

  #index(id: string, place: number, before: Entry['claims'], after: Entry['claims']): void {
    if (before === after) return;
    for (const stage of Object.keys(before) as StageName[]) this.#claimed.get(stage)?.delete(id);
    for (const stage of Object.keys(after) as StageName[]) {
      let claimed = this.#claimed.get(stage);
      if (!claimed) this.#claimed.set(stage, (claimed = new Map()));
      claimed.set(id, place);
    }
  }
}
