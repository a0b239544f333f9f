import { dirname } from 'node:path';
import { BehaviorSubject, distinctUntilChanged, Subject } from 'rxjs';
import { syncGrown } from '../files/durableNames.ts';
import type { FileStat, Files } from '../files/files.ts';
import type { Entry } from '../model/entry.ts';
import type { Change, ChangeOperation } from './change.ts';
import type { EntryReader, Reach } from './entryReader.ts';
import { journalPath, listJournals } from './journal.ts';
import { type JournalRecord, journalFormat } from './journalLine.ts';
import { type AppendOutcome, JournalWriter } from './journalWriter.ts';

export type LogChange = { id: string; op: ChangeOperation; entry: Entry | null } | { reloaded: true };

/** Others may begin a journal at the same moment, but not so often. */
const maxBeginnings = 20;

/**
 * The end of the manifest's journals, as a writer sees it. Used by one caller at a time, under the manifest's lock, which
 * it does not believe in:
 *
 * - An append is clean only where its bytes stand where they were expected and no newer journal exists.
 * - A new journal is made first; then the old one is read to its end and made durable, and sealed at that length by the
 *   header of the new one. So what a clean append wrote stands before the seal, whoever lost the lock meanwhile.
 */
export class JournalTail {
  readonly #file: string;
  readonly #files: Files;
  readonly #reader: EntryReader;
  readonly #changes = new Subject<LogChange>();
  readonly #number: BehaviorSubject<number>;
  #writer: JournalWriter | null = null;
  /** The journal that it has open, once that was seen to be the newest. */
  #writerIno: number | null = null;

  constructor(file: string, files: Files, reader: EntryReader) {
    this.#file = file;
    this.#files = files;
    this.#reader = reader;
    this.#number = new BehaviorSubject(reader.position.number);
  }

  /** Hot; completes on close. */
  get changes$() {
    return this.#changes.asObservable();
  }

  /** Number of the journal that was read last, and each further one. Completes on close. */
  get number$() {
    return this.#number.pipe(distinctUntilChanged());
  }

  /** Says that a change counts. */
  announceChange({ id, op }: Change): void {
    this.announce({ id, op, entry: this.#reader.live.get(id) ?? null });
  }

  /** The same of an entry that is not live. */
  announce(change: LogChange): void {
    this.#changes.next(change);
  }

  /** Reads on; `landed` collects the marks of the lines that count. Needs no lock. */
  async read(landed?: Set<string>): Promise<Reach> {
    if (await this.#hasNothingNew()) return 'current';
    const { reach, reloaded } = await this.#reader.catchUp(change => {
      landed?.add(change.by);
      this.announceChange(change);
    });
    if (reloaded) this.#changes.next({ reloaded: true });
    this.#number.next(this.#reader.position.number);
    return reach;
  }

  /** Reads to the end, and finishes or begins what a crash has left open. */
  async becomeCurrent(): Promise<void> {
    for (let beginnings = 0; ; beginnings++) {
      const reach = await this.read();
      const { number } = this.#reader.position;
      if (reach === 'current' && number > 0) return;
      if (beginnings === maxBeginnings) throw new Error(`${this.#file}: its journals keep being begun anew by others`);
      if (reach === 'unsealed') await this.#seal(number + 1);
      else await this.#begin(1);
    }
  }

  /** Makes the next journal. From then on nobody acknowledges what is appended to the one before. */
  async beginNext(): Promise<void> {
    await this.#begin(this.#reader.position.number + 1);
    await this.becomeCurrent();
  }

  /** Never rejects. */
  async append(records: readonly JournalRecord[]): Promise<AppendOutcome> {
    const { number, offset, length } = this.#reader.position;
    const path = journalPath(this.#file, number);
    try {
      if (this.#writer?.path !== path) {
        await this.#closeWriter();
        this.#writer = new JournalWriter(this.#files, path);
        this.#writerIno = null;
      }
      const outcome = await this.#writer.append(records, length, length > offset);
      if (!outcome.clean) {
        // A disk that was pulled and is back has another open file under the same name.
        if (outcome.error) await this.#closeWriter().catch(() => undefined);
        return outcome;
      }
      if (!(await this.#isNewest(number))) return { clean: false, synced: true, error: null };
      this.#reader.advance(outcome.end);
      return outcome;
    } catch (error) {
      return { clean: false, synced: true, error: error as Error };
    }
  }

  async close(): Promise<void> {
    this.#changes.complete();
    this.#number.complete();
    await this.#closeWriter();
  }

  /**
   * Whether the journal that is open is the newest. The folder is listed once: opening may have made a journal again that
   * others had removed. Later two looks do, since journals are removed oldest first: where ours still is and the next one
   * is not, there never was a next one. (A folder of old images holds a hundred thousand names.)
   */
  async #isNewest(number: number): Promise<boolean> {
    const path = journalPath(this.#file, number);
    if (this.#writerIno === null) {
      if ((await listJournals(this.#files, this.#file)).at(-1) !== number) return false;
      this.#writerIno = (await this.#files.stat(path))?.ino ?? null;
      return this.#writerIno !== null;
    }
    return (await this.#openJournal(number)) !== null;
  }

  /** The journal that is open, as it is on the disk; null when it is not the newest any more. */
  async #openJournal(number: number): Promise<FileStat | null> {
    if (await this.#files.stat(journalPath(this.#file, number + 1))) return null;
    const stat = await this.#files.stat(journalPath(this.#file, number));
    return stat?.ino === this.#writerIno ? stat : null;
  }

  /**
   * Whether all that stands in the journals is known: the open one is still the newest, and as long as it was. Mostly it is so,
   * and two looks cost a tenth of listing the folder and opening the journal.
   */
  async #hasNothingNew(): Promise<boolean> {
    const { number, offset, length } = this.#reader.position;
    const isOpen = this.#writerIno !== null && this.#writer?.path === journalPath(this.#file, number);
    if (!isOpen || offset < length) return false;
    return (await this.#openJournal(number))?.size === length;
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = null;
    await writer?.close();
  }

  async #begin(number: number): Promise<void> {
    const path = journalPath(this.#file, number);
    await (await this.#files.open(path, 'a')).close();
    await this.#seal(number);
  }

  /** Writes the header of a journal: how far the one before it counts. The first header counts, whoever wrote it. */
  async #seal(number: number): Promise<void> {
    if (number > 1) {
      await this.#reader.finishJournal(change => this.announceChange(change));
      await this.#sync(journalPath(this.#file, number - 1));
    }
    const { position } = this.#reader;
    const sealed = number === 1 ? null : { number: position.number, length: position.offset };
    // Also when somebody else made it: he may not have lived to do this.
    await this.#files.syncFolder(dirname(this.#file));
    const writer = new JournalWriter(this.#files, journalPath(this.#file, number));
    const outcome = await writer.append([{ journal: number, format: journalFormat, sealed }], 0);
    await writer.close();
    if (!outcome.clean && outcome.error) throw outcome.error;
  }

  /** What another process wrote, and did not live to sync, must not vanish from before the seal. */
  async #sync(path: string): Promise<void> {
    if (!(await this.#files.stat(path))) return;
    const file = await this.#files.open(path, 'r+');
    try {
      await syncGrown(this.#files, path, file);
    } finally {
      await file.close();
    }
  }
}
