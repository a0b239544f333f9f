import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Subject } from 'rxjs';
import type { Claim, Entry } from '../model/entry.ts';
import type { StageName } from '../model/stage.ts';
import type { Exclusive } from '../storage/exclusive.ts';
import { writeSegment } from './archive.ts';
import type { Change, ChangeOperation } from './change.ts';
import { EntryReader, type EntryReaderOptions } from './entryReader.ts';
import { findHandEdits } from './handEdits.ts';
import { journalPath, listJournals } from './journal.ts';
import { type JournalRecord, journalFormat } from './journalLine.ts';
import { type AppendOutcome, JournalWriter } from './journalWriter.ts';
import type { LiveEntries } from './liveEntries.ts';
import { writeSnapshot } from './snapshot.ts';

/** A snapshot is rewritten once the journal holds this part of it, so that a change costs the same at any length. */
const journalShare = 4;
/** Below this many bytes of journal a fold is not worth its fsyncs. */
const smallestFoldBytes = 64 * 1024;
/** Part of `liveEntries` that stays when there are too many: archiving one at a time would fold each time. */
const keptShare = 0.75;
const mostDoubts = 8;

export interface EntryLogOptions extends EntryReaderOptions {
  /** The manifest's own lock between processes. */
  exclusive: Exclusive;
  /** Settled entries that stay live; older ones are archived. */
  liveEntries: number;
  /** The name under which this process marks its lines; unique among all that ever write. */
  writer: string;
}

/** What a transaction may do; it sees its own changes and those before it. */
export interface Draft {
  readonly live: LiveEntries;
  change(id: string, op: ChangeOperation, set: Partial<Entry>, stage?: StageName): Entry;
}

export type LogChange = { id: string; op: ChangeOperation; entry: Entry | null } | { reloaded: true };

interface Request {
  prepare: (draft: Draft) => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  doubts: number;
}

interface Prepared {
  request: Request;
  value: unknown;
  changes: Change[];
}

/**
 * The write side of the manifest: transactions on the live entries, durable in the journal, folded into the snapshot.
 * DESIGN, "The manifest", says why. In short:
 *
 * - All transactions asked for while one commit runs go into the next: one lock, one write, one fsync.
 * - A commit is acknowledged only once its bytes stand where they were expected and no newer journal exists. A fold makes
 *   the newer journal first and seals the old one after reading it to its end: what an acknowledged commit wrote stands
 *   before the seal, whoever lost the lock meanwhile.
 * - In doubt (a write cut short, another writer's bytes between ours) the journal is read again and decides.
 *
 * A rejected transaction was not acknowledged. Its lines may still count; a claim that does so is given back by the next
 * commit. A failed fold costs nothing but disk space; it is noted and tried again.
 */
export class EntryLog {
  readonly #options: EntryLogOptions;
  readonly #reader: EntryReader;
  readonly #changes = new Subject<LogChange>();
  #writer: JournalWriter | null = null;
  #queue: Request[] = [];
  #pumping: Promise<void> | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #written = 0;
  /** Claims in lines that may count although they were not acknowledged. */
  readonly #unacknowledged = new Set<string>();
  readonly #strays: { id: string; stage: StageName; claim: Claim }[] = [];
  /** The newest journal failed to sync: nothing more is written to it. */
  #suspect = false;
  /** Bytes appended to journals since the last fold, by whomever. */
  #foldedAt = { number: 0, offset: 0 };
  #foldAgainBytes = 0;

  private constructor(options: EntryLogOptions) {
    this.#options = options;
    this.#reader = new EntryReader(options);
  }

  /** Opens the log, begins it where there is none, and repairs what a crash has left. */
  static async open(options: EntryLogOptions): Promise<EntryLog> {
    const log = new EntryLog(options);
    await log.#inTurn(() =>
      options.exclusive(async () => {
        await log.#becomeCurrent();
        if (!log.#reader.snapshotIsOurs) await log.#tryFold();
      }),
    );
    return log;
  }

  get live(): LiveEntries {
    return this.#reader.live;
  }

  /** Changes by this process and by others, in the order in which they count. Hot; completes on close. */
  get changes$() {
    return this.#changes.asObservable();
  }

  /** Files whose changes tell of changes by other processes. */
  get watchedFiles(): string[] {
    return [this.#options.file, journalPath(this.#options.file, this.#reader.position.number)];
  }

  /** Runs `prepare` on the current state and makes its changes durable; resolves with what it returned. */
  transact<T>(prepare: (draft: Draft) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ prepare, resolve: resolve as (value: unknown) => void, reject, doubts: 0 });
      this.#pumping ??= this.#pump().finally(() => {
        this.#pumping = null;
      });
    });
  }

  /** Takes in what other processes have written, and what somebody has changed in the snapshot by hand. */
  async catchUp(): Promise<void> {
    await this.#inTurn(() => this.#read());
    const edits = await this.#inTurn(() => findHandEdits(this.#options, this.#reader));
    if (edits.length) {
      await this.transact(draft => {
        for (const { id, add, set } of edits) {
          if (add ? draft.live.get(id) : !draft.live.get(id)) continue;
          draft.change(id, add ? 'add' : 'edit', set);
        }
      });
    }
  }

  /** Writes the snapshot, if anything has changed since the last. */
  fold(): Promise<void> {
    return this.#inTurn(() =>
      this.#options.exclusive(async () => {
        await this.#becomeCurrent();
        if (this.#journalBytes() > 0) await this.#fold();
      }),
    );
  }

  /** Finishes what was asked and closes, with a fold or (within a second, at any length) without. */
  async close({ fold }: { fold: boolean }): Promise<void> {
    await this.#pumping;
    try {
      if (fold) await this.fold();
    } finally {
      await this.#inTurn(async () => this.#writer?.close());
      this.#changes.complete();
    }
  }

  async #pump(): Promise<void> {
    // Callers of the same moment share the first commit.
    await Promise.resolve();
    while (this.#queue.length) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#inTurn(() => this.#options.exclusive(() => this.#commit(batch)));
      } catch (error) {
        for (const request of batch) request.reject(error);
      }
    }
  }

  /** One at a time in this process: everything that reads or writes the position. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #commit(batch: readonly Request[]): Promise<void> {
    await this.#becomeCurrent();
    if (this.#suspect) await this.#fold();
    const undo: (() => void)[] = [];
    const prepared: Prepared[] = [];
    if (this.#strays.length) prepared.push(this.#prepare(this.#giveBackStrays(), undo));
    for (const request of batch) {
      const kept = undo.length;
      try {
        prepared.push(this.#prepare(request, undo));
      } catch (error) {
        while (undo.length > kept) undo.pop()!();
        request.reject(error);
      }
    }
    const changes = prepared.flatMap(one => one.changes);
    const outcome = changes.length ? await this.#append(changes) : null;
    if (outcome && !outcome.clean) {
      while (undo.length) undo.pop()!();
      await this.#settleDoubt(prepared, outcome);
    } else {
      for (const change of changes) this.#tell(change);
      for (const { request, value } of prepared) request.resolve(value);
    }
    await this.#foldIfDue();
  }

  #prepare(request: Request, undo: (() => void)[]): Prepared {
    const changes: Change[] = [];
    const live = this.#reader.live;
    const change: Draft['change'] = (id, op, set, stage) => {
      const rev = op === 'restore' ? (set.rev ?? 0) + 1 : (live.get(id)?.rev ?? 0) + 1;
      const by = `${this.#options.writer}-${(this.#written++).toString(36)}`;
      const line: Change = stage ? { id, rev, op, stage, set, by } : { id, rev, op, set, by };
      const takeBack = live.apply(line);
      if (!takeBack) throw new Error(`${op} of entry ${id} does not follow its revision`);
      undo.push(takeBack);
      changes.push(line);
      return live.get(id)!;
    };
    return { request, value: request.prepare({ live, change }), changes };
  }

  #giveBackStrays(): Request {
    const strays = this.#strays.splice(0);
    return {
      prepare: draft => {
        for (const { id, stage, claim } of strays) {
          const entry = draft.live.get(id);
          if (!entry || !isDeepStrictEqual(entry.claims[stage], claim)) continue;
          const { [stage]: _ended, ...claims } = entry.claims;
          draft.change(id, 'release', { ...beforeClaim(stage), claims }, stage);
        }
      },
      resolve: () => undefined,
      reject: () => this.#strays.push(...strays),
      doubts: 0,
    };
  }

  /** The journal decides what of a doubtful commit counts. */
  async #settleDoubt(prepared: readonly Prepared[], outcome: AppendOutcome & { clean: false }): Promise<void> {
    for (const { changes } of prepared)
      for (const change of changes) if (change.op === 'claim') this.#unacknowledged.add(change.by);
    if (!outcome.durable) this.#suspect = true;
    const landed = new Set<string>();
    await this.#read(landed);
    for (const { request, value, changes } of prepared) {
      if (outcome.durable && changes.every(change => landed.has(change.by))) {
        for (const change of changes) this.#acknowledge(change);
        request.resolve(value);
      } else if (outcome.error) request.reject(outcome.error);
      else if (++request.doubts < mostDoubts) this.#queue.push(request);
      else request.reject(new Error(`${this.#options.file}: other writers came between ${mostDoubts} times running`));
    }
  }

  #acknowledge(change: Change): void {
    this.#unacknowledged.delete(change.by);
    const stray = this.#strays.findIndex(({ id, stage }) => id === change.id && stage === change.stage);
    if (stray >= 0) this.#strays.splice(stray, 1);
  }

  /** Reads on; `landed` collects the marks of the lines that count. */
  async #read(landed?: Set<string>): Promise<'current' | 'unsealed'> {
    const state = await this.#reader.catchUp(change => {
      landed?.add(change.by);
      this.#took(change);
    });
    if (state !== 'reloaded') return state;
    this.#changes.next({ reloaded: true });
    return 'current';
  }

  #took(change: Change): void {
    if (this.#unacknowledged.delete(change.by)) {
      this.#strays.push({ id: change.id, stage: change.stage!, claim: change.set.claims![change.stage!]! });
    }
    this.#tell(change);
  }

  #tell({ id, op }: Change): void {
    if (this.#changes.observed) this.#changes.next({ id, op, entry: this.#reader.live.get(id) ?? null });
  }

  /** Under the lock: reads to the end, and finishes or begins what a crash has left open. */
  async #becomeCurrent(): Promise<void> {
    const state = this.#reader.position.number === 0 ? await this.#reader.reload() : await this.#read();
    const { number } = this.#reader.position;
    if (number === 0) await this.#beginJournal(1);
    else if (state === 'unsealed') await this.#seal(number + 1);
  }

  /** Makes the next journal. From then on nobody acknowledges what is appended to the one before. */
  async #beginJournal(number: number): Promise<void> {
    const { file, files } = this.#options;
    const path = journalPath(file, number);
    await (await files.open(path, 'a')).close();
    await files.syncFolder(dirname(path));
    await this.#seal(number);
  }

  /** Writes the header of a journal that has none: how far the one before it counts. */
  async #seal(number: number): Promise<void> {
    if (number > 1) await this.#reader.finishJournal(change => this.#took(change));
    const { position } = this.#reader;
    const header: JournalRecord = {
      journal: number,
      format: journalFormat,
      sealed: number === 1 ? null : { number: position.number, length: position.offset },
    };
    const writer = new JournalWriter(this.#options.files, journalPath(this.#options.file, number));
    const outcome = await writer.append([header], 0);
    await writer.close();
    if (!outcome.clean && outcome.error) throw outcome.error;
    // Also when another process was faster: the first header counts, and reading on follows it.
    await (number === 1 ? this.#reader.reload() : this.#read());
  }

  async #append(records: readonly JournalRecord[]): Promise<AppendOutcome> {
    const { file, files } = this.#options;
    const { number, length } = this.#reader.position;
    const path = journalPath(file, number);
    if (this.#writer?.path !== path) {
      await this.#writer?.close();
      this.#writer = new JournalWriter(files, path);
    }
    const outcome = await this.#writer.append(records, length);
    if (!outcome.clean) return outcome;
    if (await files.stat(journalPath(file, number + 1))) return { clean: false, durable: true, error: null };
    this.#reader.advance(outcome.end);
    return outcome;
  }

  #journalBytes(): number {
    const { number, offset } = this.#reader.position;
    return number === this.#foldedAt.number ? offset - this.#foldedAt.offset : offset;
  }

  async #foldIfDue(): Promise<void> {
    const bytes = this.#journalBytes();
    const crowded = this.#reader.live.settled > this.#options.liveEntries;
    const outgrown = Math.max(smallestFoldBytes, (this.#reader.snapshotStat?.size ?? 0) / journalShare);
    if (bytes >= this.#foldAgainBytes && (crowded || bytes >= outgrown)) await this.#tryFold();
  }

  async #tryFold(): Promise<void> {
    try {
      await this.#fold();
      this.#foldAgainBytes = 0;
    } catch (error) {
      this.#foldAgainBytes = this.#journalBytes() + smallestFoldBytes;
      this.#options.note(
        'warning',
        `${this.#options.file} could not be folded: ${(error as Error).message}. The journals hold everything; it is tried again.`,
      );
    }
  }

  async #fold(): Promise<void> {
    const { file, files } = this.#options;
    if (!this.#suspect) await this.#archiveOldest();
    await this.#beginJournal(this.#reader.position.number + 1);
    this.#suspect = false;
    const { number } = this.#reader.position;
    await writeSnapshot(files, file, this.#reader.live.entries(), async mark => {
      const outcome = await this.#append([{ snapshot: mark }]);
      if (!outcome.clean) throw outcome.error ?? new Error(`${file}: another process folded at the same time`);
      this.#reader.published(mark);
    });
    this.#reader.sawSnapshot(await files.stat(file));
    this.#foldedAt = { number, offset: this.#reader.position.offset };
    // The journal just sealed stays until the next fold: other processes are still reading in it.
    for (const old of await listJournals(files, file)) if (old < number - 1) await files.remove(journalPath(file, old));
  }

  /** Segment durable, then `archive` lines, then (by the caller) the fold. */
  async #archiveOldest(): Promise<void> {
    const { live } = this.#reader;
    const { liveEntries, files, file } = this.#options;
    if (live.settled <= liveEntries) return;
    const oldest = [...live.oldestSettled(live.settled - Math.floor(liveEntries * keptShare))];
    await writeSegment(files, file, oldest);
    const lines = oldest.map<Change>(({ entry_id: id, rev }) => ({
      id,
      rev: rev + 1,
      op: 'archive',
      set: {},
      by: `${this.#options.writer}-${(this.#written++).toString(36)}`,
    }));
    const outcome = await this.#append(lines);
    if (outcome.clean) {
      for (const line of lines) {
        live.apply(line);
        this.#tell(line);
      }
    } else {
      if (outcome.error) throw outcome.error;
      await this.#read();
    }
  }
}

/** Fields that a claim of a stage has set, as they were before it. */
export function beforeClaim(stage: StageName): Partial<Entry> {
  return stage === 'processor' ? { processing_status: 'pending' } : {};
}
