import { map, type Observable } from 'rxjs';
import type { Exclusive } from '../files/fileLock.ts';
import { archiveFolder, unmovedSegments } from './archive.ts';
import { type CompactionOptions, compact, unlocked } from './compaction.ts';
import { DamagedManifestError, EntryReader } from './entryReader.ts';
import { findHandEdits, takeEdits } from './handEdits.ts';
import { importManifest } from './importManifest.ts';
import { journalPath, listJournals } from './journal.ts';
import { JournalTail, type LogChange } from './journalTail.ts';
import type { AppendOutcome } from './journalWriter.ts';
import type { LiveEntries } from './liveEntries.ts';
import { mendMovedList } from './movedSegments.ts';
import { damagedSegments, type RecoverySource, rebuildManifest } from './rebuildManifest.ts';
import type { MadeClaim } from './transaction.ts';
import { claimsOf, type Draft, type Prepared, prepareAll, type Request } from './transaction.ts';
import { releaseClaims, UnconfirmedClaims } from './unconfirmedClaims.ts';

export type { LogChange } from './journalTail.ts';

/** A snapshot is rewritten once the journal holds this part of it, so that a change costs the same at any length. */
const journalShare = 4;
/** Below this many bytes of journal a compaction is not worth its fsyncs, unless nothing else goes on. */
const smallestBytes = 64 * 1024;
const maxAttempts = 8;

export interface EntryLogOptions extends CompactionOptions {
  /** The manifest's own lock between processes. */
  exclusive: Exclusive;
  /** The name under which this process marks its lines; unique among all that ever write. */
  writer: string;
  /** What rebuilds a manifest that can't be read as a whole. Absent: that is an error. */
  recovery?: RecoverySource;
  /** Rebuild it whatever the first look says: somebody has found it damaged. */
  isSuspect?: boolean;
}

/**
 * The write side of the manifest: transactions on the live entries, durable in the journal, compacted into the snapshot.
 * DESIGN, "The manifest", says why. In short:
 *
 * - All transactions asked for while one commit runs go into the next: one lock, one write, one fsync.
 * - In doubt (a write cut short, another writer's bytes between ours) the journal is read again and decides.
 * - A compaction runs beside the transactions, one at a time (see `compact`).
 *
 * A rejected transaction was not acknowledged. Its lines may still count; a claim that does so is released by the next
 * commit. A failed compaction costs nothing but disk space; it is noted and tried again.
 */
export class EntryLog {
  readonly #options: EntryLogOptions;
  readonly #reader: EntryReader;
  readonly #tail: JournalTail;
  readonly #unconfirmed = new UnconfirmedClaims();
  #queue: Request[] = [];
  #pumping: Promise<void> | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;
  #written = 0;
  /** A journal that failed to sync: nothing is acknowledged until a snapshot holds what it says. 0: none did. */
  #suspect = 0;
  /** Where the changes begin that the last snapshot by this process does not have. */
  #compactedAt = { number: 0, offset: 0 };
  #compactAgainBytes = 0;
  /** The compactions that were asked for, one after the other; null: none is under way. Never rejects. */
  #compacting: Promise<unknown> | null = null;
  readonly #ending = new AbortController();

  private constructor(options: EntryLogOptions) {
    this.#options = options;
    this.#reader = new EntryReader(options);
    this.#tail = new JournalTail(options.file, options.files, this.#reader);
  }

  /**
   * Opens the log, begins it where there is none, and repairs what a crash has left. Where a part of it can't be read, or is lost,
   * it is rebuilt (see `rebuildManifest`).
   *
   * @throws DamagedManifestError without `recovery`.
   */
  static async open(options: EntryLogOptions): Promise<EntryLog> {
    const log = new EntryLog(options);
    await log.#inTurn(() =>
      options.exclusive(async () => {
        await log.#begin();
        if (!log.#reader.snapshotIsOurs) await log.#noting(log.#compactAtOnce());
      }),
    );
    return log;
  }

  get live(): LiveEntries {
    return this.#reader.live;
  }

  /** Changes by this process and by others, in the order in which they count. Hot; completes on close. */
  get changes$() {
    return this.#tail.changes$;
  }

  /** Files whose changes tell of changes by other processes: the snapshot, and the journal that is written to. */
  get watchedFiles$(): Observable<string[]> {
    const { file } = this.#options;
    return this.#tail.number$.pipe(map(number => (number === 0 ? [file] : [file, journalPath(file, number)])));
  }

  /** Says that an archived entry is another now. */
  announce(change: LogChange): void {
    this.#tail.announce(change);
  }

  /** True while a claim of this process may stand that nobody works for: any transaction sees to it. */
  get hasUnconfirmed(): boolean {
    return this.#unconfirmed.size > 0;
  }

  /** Runs `prepare` on the current state and makes its changes durable; resolves with what it returned. */
  transact<T>(prepare: (draft: Draft) => T): Promise<T> {
    if (this.#closed) return Promise.reject(new Error(`${this.#options.file} is closed`));
    return this.#ask(prepare);
  }

  /** The rules of its options are others now. */
  rulesChanged(): Promise<void> {
    return this.#inTurn(async () => this.#reader.live.rulesChanged());
  }

  /** Ends claims with the next commit that succeeds, for when a transaction that should have done it was rejected. */
  releaseLater(claims: readonly MadeClaim[]): void {
    this.#unconfirmed.add(claims);
  }

  /**
   * Takes in what other processes have written, and what somebody has changed in the snapshot by hand. What was
   * acknowledged anywhere before the call is there when it resolves.
   */
  async catchUp(): Promise<void> {
    const reach = await this.#inTurn(() => this.#tail.read());
    // A journal that has only begun: wait for its header, or write it where its process died.
    if (reach === 'unsealed') await this.#locked(() => this.#tail.becomeCurrent());
    const { edits, found } = await this.#inTurn(() =>
      findHandEdits(this.#options, this.#reader, () => this.#tail.read()),
    );
    try {
      if (edits.length > 0 || this.hasUnconfirmed) await this.transact(draft => takeEdits(edits, draft));
    } catch (error) {
      this.#reader.sawSnapshot(null);
      throw error;
    }
    // Who starts now would build on what stands there, with all that it leaves out.
    if (found === 'edited' || found === 'stale') await this.#replaceEdited(found);
  }

  /** Writes the snapshot, if anything has changed since the last. */
  async compact(): Promise<void> {
    await this.#compact(() => this.#journalBytes() > 0);
  }

  /** The same, if the journal has outgrown its share of the snapshot: so changes cost the same at any length. */
  async compactIfDue(): Promise<void> {
    await this.#compact(() => this.#isDue(1));
  }

  /** Moves every settled entry to the archive. Resolves with how many. */
  archiveSettled(): Promise<number> {
    if (this.#closed) return Promise.reject(new Error(`${this.#options.file} is closed`));
    return this.#compact(() => this.live.settled > 0, { ...this.#options, liveEntries: 0, settledOnly: true });
  }

  /**
   * Finishes what was asked and closes, with a compaction or (within a second, at any length) without. A compaction that fails is
   * noted and no error: the journals hold everything. Transactions asked for later are rejected.
   */
  async close({ compact: compacting }: { compact: boolean }): Promise<void> {
    this.#closed = true;
    if (!compacting) this.#ending.abort();
    await this.#pumping;
    const failed = (what: string) => (error: unknown) =>
      this.#options.note('warning', `${this.#options.file}: ${what} at the end failed: ${(error as Error).message}`);
    if (this.hasUnconfirmed) await this.#ask(() => undefined).catch(failed('releasing claims'));
    if (compacting) await this.compact().catch(failed('the compaction'));
    await this.#compacting;
    await this.#inTurn(() => this.#tail.close());
  }

  /** Under the lock. */
  async #begin(): Promise<void> {
    const { recovery } = this.#options;
    const read = async (): Promise<readonly string[]> => {
      await importManifest(this.#options);
      await this.#tail.becomeCurrent();
      return this.#reader.damage;
    };
    if (!recovery) {
      await read();
      return;
    }
    const damage = await this.#damageBefore(recovery);
    if (damage.length === 0) {
      try {
        damage.push(...(await read()));
      } catch (error) {
        if (!(error instanceof DamagedManifestError)) throw error;
        damage.push(error.damage);
      }
    }
    if (damage.length === 0) return;
    await rebuildManifest({ ...this.#options, recovery }, damage);
    await read();
  }

  async #damageBefore({ hasTraces, backupFolder, rebuilt }: RecoverySource): Promise<string[]> {
    const { files, file, isSuspect } = this.#options;
    const mended = await mendMovedList(files, archiveFolder(file), backupFolder);
    if (mended !== null) rebuilt(mended);
    const damage = await damagedSegments(files, file);
    if (isSuspect) damage.push('it was found damaged');
    const isNew = (await files.stat(file)) === null && (await listJournals(files, file)).length === 0;
    if (isNew && ((await unmovedSegments(files, file)).length > 0 || (await hasTraces())))
      damage.push('it is not there, and results or archived entries of it are');
    return damage;
  }

  #replaceEdited(found: 'edited' | 'stale'): Promise<void> {
    return this.#noting(
      this.#compact(() => {
        // The compaction looks at it again, and keeps a copy.
        if (found === 'stale') this.#reader.sawSnapshot(null);
        return true;
      }),
    );
  }

  #ask<T>(prepare: (draft: Draft) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ prepare, resolve: resolve as (value: unknown) => void, reject, attempts: 0 });
      this.#pumping ??= this.#pump();
    });
  }

  async #pump(): Promise<void> {
    // Callers of the same moment share the first commit.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#unconfirmedFirst(this.#queue);
      this.#queue = [];
      try {
        await this.#locked(() => this.#commit(batch));
      } catch (error) {
        for (const request of batch) request.reject(error);
      }
    }
    // In the same instant as the last look at the queue: who asks later starts the pump again.
    this.#pumping = null;
  }

  #unconfirmedFirst(requests: readonly Request[]): Request[] {
    const claims = this.#unconfirmed.take();
    if (claims.length === 0) return [...requests];
    const first: Request = {
      prepare: draft => releaseClaims(claims, draft),
      resolve: () => undefined,
      reject: () => this.#unconfirmed.add(claims),
      attempts: 0,
    };
    return [first, ...requests];
  }

  /** One at a time in this process: everything that reads or writes the position. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #locked<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(() => this.#options.exclusive(work));
  }

  readonly #mark = (): string => `${this.#options.writer}-${(this.#written++).toString(36)}`;

  async #commit(batch: readonly Request[]): Promise<void> {
    await this.#tail.becomeCurrent();
    if (this.#suspect > 0) await this.#compactAtOnce();
    const { prepared, undo } = prepareAll(batch, this.#reader.live, this.#mark);
    const changes = prepared.flatMap(one => one.changes);
    const outcome: AppendOutcome | null = changes.length > 0 ? await this.#tail.append(changes) : null;
    if (outcome && !outcome.clean) {
      undo();
      await this.#confirm(prepared, outcome);
    } else {
      for (const change of changes) this.#tail.announceChange(change);
      for (const { request, value } of prepared) request.resolve(value);
    }
    // Not waited for: who commits next has the lock while the snapshot is written.
    if (!this.#compacting && !this.#closed && this.#isDue()) void this.#noting(this.#compact(() => this.#isDue()));
  }

  /** The journal decides what of an unconfirmed commit counts. */
  async #confirm(prepared: readonly Prepared[], outcome: AppendOutcome & { clean: false }): Promise<void> {
    if (!outcome.synced) this.#suspect = this.#reader.position.number;
    this.#unconfirmed.add(prepared.flatMap(claimsOf));
    const landed = new Set<string>();
    await this.#tail.read(landed);
    for (const one of prepared) {
      const { request, value, changes } = one;
      if (outcome.synced && changes.every(change => landed.has(change.by))) {
        this.#unconfirmed.forget(new Set(claimsOf(one).map(({ claim }) => claim)));
        request.resolve(value);
      } else if (outcome.error) request.reject(outcome.error);
      else if (++request.attempts < maxAttempts) this.#queue.push(request);
      else request.reject(new Error(`${this.#options.file}: other writers came between ${maxAttempts} times running`));
    }
  }

  #journalBytes(): number {
    const { number, offset } = this.#reader.position;
    return number === this.#compactedAt.number ? offset - this.#compactedAt.offset : offset;
  }

  #isDue(smallest = smallestBytes): boolean {
    const bytes = this.#journalBytes();
    const { settled, awaitingCopy } = this.#reader.live;
    const crowded = settled + awaitingCopy > this.#options.liveEntries;
    const outgrown = Math.max(smallest, (this.#reader.snapshotStat?.size ?? 0) / journalShare);
    return bytes >= this.#compactAgainBytes && (crowded || bytes >= outgrown);
  }

  async #noting(compaction: Promise<unknown>): Promise<void> {
    try {
      await compaction;
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      this.#compactAgainBytes = this.#journalBytes() + smallestBytes;
      this.#options.note(
        'warning',
        `${this.#options.file} could not be compacted: ${(error as Error).message}. The journals hold everything; it is tried again.`,
      );
    }
  }

  /** One at a time, beside the commits. Resolves with how many entries went to the archive. */
  #compact(isWanted: () => boolean, options: CompactionOptions = this.#options): Promise<number> {
    const run = (): Promise<number> => this.#compactNow(isWanted, work => this.#locked(work), options);
    const compaction = this.#compacting === null ? run() : this.#compacting.then(run);
    const ended: Promise<unknown> = compaction
      .catch(() => undefined)
      .then(() => {
        if (this.#compacting === ended) this.#compacting = null;
      });
    this.#compacting = ended;
    return compaction;
  }

  /** Under the lock, from beginning to end. */
  #compactAtOnce(): Promise<number> {
    return this.#compactNow(() => true, unlocked, this.#options);
  }

  async #compactNow(isWanted: () => boolean, locked: Exclusive, options: CompactionOptions): Promise<number> {
    const { archived, at } = await compact({
      options,
      reader: this.#reader,
      tail: this.#tail,
      mark: this.#mark,
      locked,
      isWanted,
      suspect: () => this.#suspect,
      signal: this.#ending.signal,
    });
    if (at !== null) {
      if (this.#suspect < at.number) this.#suspect = 0;
      this.#compactAgainBytes = 0;
      this.#compactedAt = at;
    }
    return archived;
  }
}
