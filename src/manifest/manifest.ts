import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Observable } from 'rxjs';
import { type Liveness, sameProcess } from '../files/processIdentity.ts';
import type { Clock } from '../model/clock.ts';
import { plainName } from '../model/compression.ts';
import type { Claim, Entry, ProcessIdentity, ResultLocation } from '../model/entry.ts';
import { utcIso } from '../model/localTime.ts';
import type { StageName } from '../model/stageName.ts';
import { EntryArchive } from './entryArchive.ts';
import { EntryLog, type EntryLogOptions, type LogChange } from './entryLog.ts';
import { awaitsCopy } from './isSettled.ts';
import { capturedTime, orphanEntry } from './orphanEntry.ts';
import { afterDeath, deadlyWork, isTriedAlone } from './processDeaths.ts';
import type { LostResult } from './rebuildManifest.ts';
import { relocate, requeue } from './setBack.ts';
import { type QueueStage, stageWork } from './stageWork.ts';
import { alonePatienceMs, nextChange, TriedAlone } from './triedAlone.ts';
import { beforeClaim } from './unconfirmedClaims.ts';
import { noRules, type WorkRules } from './workRules.ts';

/** A stage does not wait longer than this for an earlier image, so that one hung worker holds nothing up. */
const orderPatienceMs = 60_000;

export interface ClaimOptions {
  place?: { segment: number; length: number } | null;
  behind?: StageName;
  among?: readonly string[];
  leaving?: AbortSignal;
}

export interface ManifestOptions extends EntryLogOptions {
  clock: Clock;
  own: ProcessIdentity;
  liveness: (owner: ProcessIdentity) => Liveness;
}

/**
 * The durable queue between the stages: offer, claim, settle, release, changes. Stages know nothing of the manifest but
 * this, so that another implementation (a queue across machines) can take its place.
 *
 * Every promise resolves once the change is durable and counts; errors are the file system's, and the change is then not
 * acknowledged.
 */
export class Manifest {
  readonly #options: ManifestOptions;
  readonly #log: EntryLog;
  /** Entries that have left the live manifest. */
  readonly archive: EntryArchive;
  readonly #alone: TriedAlone;

  private constructor(options: ManifestOptions, log: EntryLog) {
    this.#options = options;
    this.#log = log;
    this.archive = new EntryArchive({
      ...options,
      log,
      now: () => options.clock.now(),
      isRemovable: entry => this.isFor('ring_buffer', entry),
      // Who turns compression on does not mean images that had passed it.
      isWaiting: entry => awaitsCopy(entry, { ...this.#rules, compression: false }),
    });
    const { waiting } = this.archive;
    this.#alone = new TriedAlone({ own: options.own, live: () => log.live, archivedInWork: () => waiting.inFlight });
  }

  static async open(options: ManifestOptions): Promise<Manifest> {
    const manifest = new Manifest(options, await EntryLog.open(options));
    // For the counts; who claims is told of an error.
    await manifest.archive.waiting.refresh().catch(() => undefined);
    return manifest;
  }

  get #rules(): WorkRules {
    return this.#options.rules?.() ?? noRules;
  }

  /** Changes by this process and by others, in the order in which they count. Hot; completes on close. */
  get changes$(): Observable<LogChange> {
    return this.#log.changes$;
  }

  /** Files that change when another process changes the manifest, and each time that they are others. Completes on close. */
  get watchedFiles$(): Observable<readonly string[]> {
    return this.#log.watchedFiles$;
  }

  /** Live entries: all that are not settled, and the newest that are. */
  get size(): number {
    return this.#log.live.size;
  }

  get(id: string): Entry | undefined {
    return this.#log.live.get(id);
  }

  /** Live entries in order of collection. */
  entries(): Generator<Entry> {
    return this.#log.live.entries();
  }

  /** Images of live entries that are on this machine and not originals. */
  get localImages(): number {
    return this.#log.live.localImages;
  }

  /** Whether an entry, live or archived, is one that waits for a stage. */
  isFor(stage: QueueStage, entry: Entry): boolean {
    return stageWork[stage](entry, this.#rules);
  }

  #waits(stage: QueueStage, entry: Entry | undefined): boolean {
    return entry !== undefined && this.isFor(stage, entry);
  }

  /** How many entries wait for a stage, archived ones too. */
  waiting(stage: QueueStage): number {
    return this.#log.live.waiting(stage) + (this.#worksOnArchived(stage) ? this.archive.waiting.waiting : 0);
  }

  /** How many entries a stage has in flight, in any process. */
  inFlight(stage: StageName): number {
    return this.#log.live.claimedCount(stage) + (stage === 'syncer' ? this.archive.waiting.inFlight : 0);
  }

  #worksOnArchived(stage: QueueStage): boolean {
    return stage === 'syncer' && this.#rules.sync;
  }

  /** Adds entries at the end; those that are there already stay as they are. */
  offer(entries: readonly Entry[]): Promise<void> {
    return this.#log.transact(draft => {
      for (const entry of entries) if (!draft.live.get(entry.entry_id)) draft.change(entry.entry_id, 'add', entry);
    });
  }

  /**
   * Gives captured images that no entry knows one each: that of their result, where one stands in the log (then nothing is analysed again),
   * and else a new one, which waits. Resolves with the entries.
   *
   * @param lost ids of results whose entries are taken back too, with or without an image here, and of no others. Absent: every result of
   *   these images that no live entry names.
   */
  async addOrphans(images: readonly string[], lost?: ReadonlySet<string>): Promise<Entry[]> {
    const { recovery, clock } = this.#options;
    const names = new Set(images.map(path => plainName(basename(path))));
    const isLost = ({ entry_id: id, image_filename: name }: LostResult): boolean =>
      lost ? lost.has(id) : name !== null && names.has(plainName(name)) && !this.get(id);
    const times = [...names].map(capturedTime).sort();
    const entries = recovery
      ? await recovery.entriesOf(images, isLost, lost ? null : (times[0] ?? null))
      : images.map(path => orphanEntry(path, clock.now()));
    await this.offer(entries);
    return entries;
  }

  /**
   * Takes up to `count` entries that wait for a stage, in order of collection, and records the claim. Resolves with the
   * entries as they are then; empty when none waits. Archived ones come first, and stay in the archive.
   *
   * @param place where the stage's output stands, for the repair after a crash.
   * @param behind take only what stands before the first entry that this other stage has in flight: keeps the order.
   * @param among take only entries with these ids, in this order.
   * @param leaving ends the wait for an entry that is tried alone (see `processDeaths`): this process takes nothing else meanwhile, and
   *   begins with it when nothing else is in flight.
   */
  async claim(stage: QueueStage, count: number, options: ClaimOptions = {}): Promise<Entry[]> {
    const { leaving } = options;
    try {
      for (let until = 0; ; ) {
        if (count <= 0 || this.#alone.isHeldUp(stage)) return [];
        if (this.#worksOnArchived(stage)) {
          const archived = await this.archive.waiting.claim(count);
          if (archived.length > 0) return archived;
        }
        const taken = await this.#take(stage, count, options, until > 0 && this.#options.clock.monotonic() >= until);
        if (taken !== 'wait') return taken;
        until ||= this.#options.clock.monotonic() + alonePatienceMs;
        await nextChange(this.changes$, leaving);
        if (leaving?.aborted) return [];
      }
    } finally {
      this.#alone.gaveUp(stage);
    }
  }

  async #take(
    stage: QueueStage,
    count: number,
    { place, behind, among }: ClaimOptions,
    isPatienceOver: boolean,
  ): Promise<Entry[] | 'wait'> {
    const { own } = this.#options;
    if (!this.#log.hasUnconfirmed && !this.#log.live.firstWaiting(stage, this.#before(behind))) return [];
    const claim: Claim = { ...own, time: utcIso(this.#options.clock.now()), ...place };
    const taken = await this.#log.transact(({ live, change }) => {
      if (this.#alone.isHeldUp(stage)) return [];
      const limit = this.#before(behind);
      const taken: Entry[] = [];
      const next = (): Entry | undefined => {
        if (!among) return live.firstWaiting(stage, limit);
        const id = among.find(id => this.#waits(stage, live.get(id)));
        return id === undefined ? undefined : live.get(id);
      };
      while (taken.length < count) {
        const entry = next();
        if (!entry) break;
        if (taken.length > 0 && isTriedAlone(entry, stage, own.boot_id)) break;
        const way = this.#alone.wayOf(entry, stage, isPatienceOver);
        if (way === 'wait') return 'wait';
        const set: Partial<Entry> = { claims: { ...entry.claims, [stage]: claim } };
        if (stage === 'processor') {
          set.processing_status = 'processing';
          set.attempt = entry.attempt + 1;
        }
        taken.push(change(entry.entry_id, 'claim', set, stage));
        if (way === 'alone') break;
      }
      return taken;
    });
    this.#alone.claimed(stage);
    return taken;
  }

  /**
   * Records the outcome of claimed work and ends the claim.
   *
   * @returns how many counted: the outcome of a claim that was released and taken by another meanwhile is void.
   */
  settle(claimed: readonly Entry[], stage: QueueStage, outcome: Partial<Entry>): Promise<number> {
    return this.#end(claimed, stage, 'settle', outcome);
  }

  /** Releases claimed entries as they were before the claim, but for `set`. Resolves with how many counted. */
  release(claimed: readonly Entry[], stage: QueueStage, set: Partial<Entry> = {}): Promise<number> {
    return this.#end(claimed, stage, 'release', { ...beforeClaim(stage), ...set });
  }

  /**
   * Releases entries whose work was cut off. Never rejects: what can't be recorded now (a full disk) is recorded with
   * the next change that can.
   */
  async releaseEventually(claimed: readonly Entry[], stage: QueueStage): Promise<void> {
    await this.release(claimed, stage).catch(() => {
      this.#log.releaseLater(
        claimed.flatMap(({ entry_id: id, claims: { [stage]: claim } }) => (claim ? [{ id, stage, claim }] : [])),
      );
    });
  }

  /** Why a claimed entry must not be worked on, but has failed: the process died of it again and again; null when it may be. */
  deadlyWork(entry: Entry, stage: QueueStage): string | null {
    return deadlyWork(entry, stage, this.#options.own.boot_id);
  }

  /** Entries whose claim for a stage belongs to a process that is gone. */
  orphans(stage: QueueStage): Entry[] {
    return [...this.#log.live.claimed(stage)].filter(entry => this.#options.liveness(entry.claims[stage]!) === 'gone');
  }

  /**
   * Sets entries back to `pending`, so that their image is analysed once more under a new attempt, or aside to `skip`. What
   * stands in the results stays. Resolves with the entries as they were, those that were changed.
   *
   * One that changed its status since it was read, or that a stage has in flight (see {@link isFree}), stays as it is. So
   * does one whose image the ring buffer has removed, when it is to be analysed: there is nothing here to analyse.
   *
   * @param restore bring those that are not live back from the archive, where `entries` were just read.
   */
  requeue(entries: readonly Entry[], to: 'pending' | 'skip', { restore }: { restore: boolean }): Promise<Entry[]> {
    const { liveness } = this.#options;
    return this.#log.transact(draft => requeue(draft, entries, to, { liveness, restore }));
  }

  /**
   * Corrects where the counting results of entries stand. One that was set back or analysed anew since it was read, or that a stage has
   * in flight, stays as it is. Resolves with the entries that were changed.
   *
   * @param restore as for {@link requeue}.
   */
  relocate(
    moved: readonly { entry: Entry; result: ResultLocation }[],
    { restore }: { restore: boolean },
  ): Promise<Entry[]> {
    const { liveness } = this.#options;
    return this.#log.transact(draft => relocate(draft, moved, { liveness, restore }));
  }

  /** Takes in what other processes have written, and hand edits of the `.json`. */
  catchUp(): Promise<void> {
    return this.#log.catchUp();
  }

  /** The rules of its options are others now: other entries wait, and others are settled. */
  rulesChanged(): Promise<void> {
    return this.#log.rulesChanged();
  }

  /** Writes the snapshot, if anything has changed since the last. */
  compact(): Promise<void> {
    return this.#log.compact();
  }

  /** The same, if the journal has outgrown its share of the snapshot. */
  compactIfDue(): Promise<void> {
    return this.#log.compactIfDue();
  }

  /** Finishes what was asked and closes. `compact: false` takes no longer at a million entries than at ten. */
  close(options: { compact: boolean }): Promise<void> {
    return this.#log.close(options);
  }

  async #end(
    claimed: readonly Entry[],
    stage: QueueStage,
    op: 'settle' | 'release',
    outcome: Partial<Entry>,
  ): Promise<number> {
    const archived = stage === 'syncer' ? claimed.filter(entry => this.archive.waiting.has(entry)) : [];
    const live = archived.length > 0 ? claimed.filter(entry => !archived.includes(entry)) : claimed;
    const counted = live.length > 0 ? await this.#endLive(live, stage, op, outcome) : 0;
    if (op === 'settle') return counted + (await this.archive.waiting.settle(archived, outcome));
    this.archive.waiting.releaseEventually(archived);
    return counted + archived.length;
  }

  #endLive(
    claimed: readonly Entry[],
    stage: QueueStage,
    op: 'settle' | 'release',
    outcome: Partial<Entry>,
  ): Promise<number> {
    return this.#log.transact(({ live, change }) => {
      let counted = 0;
      for (const { entry_id: id, claims: then, attempt } of claimed) {
        const now = live.get(id);
        if (!now?.claims[stage] || !isDeepStrictEqual(now.claims[stage], then[stage])) continue;
        const { [stage]: _ended, ...claims } = now.claims;
        if (now.attempt === attempt) {
          change(id, op, { ...outcome, ...(op === 'release' && this.#afterDeath(now, stage)), claims }, stage);
          counted++;
        } else {
          // Somebody set the image back and it is analysed anew: the outcome is of no use, but the claim must end.
          change(id, 'release', { ...beforeClaim(stage), claims }, stage);
        }
      }
      return counted;
    });
  }

  #afterDeath(entry: Entry, stage: QueueStage): Partial<Entry> {
    const { own, liveness } = this.#options;
    const claim = entry.claims[stage]!;
    return !sameProcess(claim, own) && liveness(claim) === 'gone' ? afterDeath(entry, stage, own.boot_id) : {};
  }

  /** Place of the first entry that another stage has in flight; claims of long ago don't count. */
  #before(stage: StageName | undefined): number {
    let first = Number.POSITIVE_INFINITY;
    if (!stage) return first;
    const now = this.#options.clock.now();
    for (const entry of this.#log.live.claimed(stage)) {
      const age = Math.abs(now - Date.parse(entry.claims[stage]!.time));
      if (age < orderPatienceMs) first = Math.min(first, this.#log.live.placeOf(entry.entry_id));
    }
    return first;
  }
}
