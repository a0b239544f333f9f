import type { Entry } from '../model/entry.ts';
import type { FileStat, Files } from '../storage/files.ts';
import type { Change } from './change.ts';
import { journalPath, listJournals, readHeader, readJournal } from './journal.ts';
import { isHeader, isSnapshotMark, type JournalRecord } from './journalLine.ts';
import { LiveEntries } from './liveEntries.ts';
import { readSnapshot } from './snapshot.ts';

/** Told of what is found damaged, edited or unusual. */
export type Note = (level: 'info' | 'warning' | 'error', message: string) => void;

export interface EntryReaderOptions {
  /** Path of `metadata_manifest.json`. */
  file: string;
  files: Files;
  isSettled: (entry: Entry) => boolean;
  note: Note;
}

/** A snapshot that somebody published, known by its journal mark. */
export interface PublishedSnapshot {
  size: number;
  crc: string;
}

const mostReloads = 20;
/** Marks of the snapshots that may stand on the disk: the newest, and one whose fold a crash cut short. */
const keptMarks = 3;

/**
 * The read side of the manifest: the state as snapshot and journals give it. It takes no lock and writes nothing, so any
 * number of processes may read while others write. Two readers that have read equally far hold the same state.
 *
 * A journal counts up to the byte at which the header of the next one seals it; the newest counts as far as it goes.
 */
export class EntryReader {
  readonly #options: EntryReaderOptions;
  #live: LiveEntries;
  /** Newest journal (0: none yet), the byte after its last whole line, and how many bytes of it were seen. */
  #position = { number: 0, offset: 0, length: 0 };
  #marks: PublishedSnapshot[] = [];
  #snapshotStat: FileStat | null = null;
  #snapshotIsOurs = false;

  constructor(options: EntryReaderOptions) {
    this.#options = options;
    this.#live = new LiveEntries(options.isSettled);
  }

  get live(): LiveEntries {
    return this.#live;
  }

  get position(): Readonly<{ number: number; offset: number; length: number }> {
    return this.#position;
  }

  /** What stands on the disk as snapshot, when it was read or published last. */
  get snapshotStat(): FileStat | null {
    return this.#snapshotStat;
  }

  /** False when the snapshot that was read is none that a journal knows: the Python system's, or edited while nobody ran. */
  get snapshotIsOurs(): boolean {
    return this.#snapshotIsOurs;
  }

  isKnown(snapshot: PublishedSnapshot): boolean {
    return this.#marks.some(mark => mark.size === snapshot.size && mark.crc === snapshot.crc);
  }

  /** Notes that the snapshot now on the disk is known, whoever wrote it. */
  sawSnapshot(stat: FileStat | null): void {
    this.#snapshotStat = stat;
  }

  /** The writer has appended `end - length` bytes that stand where they should, and has applied them itself. */
  advance(end: number): void {
    this.#position.offset = end;
    this.#position.length = end;
  }

  /**
   * Reads everything anew.
   * @returns as {@link catchUp}.
   */
  async reload(): Promise<'current' | 'unsealed'> {
    const { files, file, note } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const before = await files.stat(file);
      const snapshot = await readSnapshot(files, file);
      this.#live = new LiveEntries(this.#options.isSettled);
      for (const entry of snapshot.entries) this.#live.load(entry);
      this.#marks = [];
      const first = (await listJournals(files, file))[0] ?? 0;
      this.#position = { number: first, offset: 0, length: 0 };
      const state = first === 0 ? 'current' : await this.#follow(() => undefined);
      const after = await files.stat(file);
      if (
        state !== 'lost' &&
        before?.ino === after?.ino &&
        before?.mtimeMs === after?.mtimeMs &&
        before?.size === after?.size
      ) {
        for (const problem of snapshot.problems) note('error', `${file}: ${problem}`);
        this.#snapshotStat = after;
        this.#snapshotIsOurs = after !== null && this.isKnown(snapshot) && snapshot.problems.length === 0;
        return state;
      }
      if (attempt === mostReloads)
        throw new Error(`${file} keeps changing while it is read; tried ${mostReloads} times`);
    }
  }

  /**
   * Takes in what was written since. `applied` is told of every change that counts, in their order.
   *
   * @returns `unsealed` when a fold by another process has only begun: what its new journal will hold can't be known yet.
   */
  async catchUp(applied: (change: Change) => void = () => undefined): Promise<'current' | 'unsealed' | 'reloaded'> {
    if (this.#position.number === 0) {
      await this.reload();
      return 'reloaded';
    }
    const state = await this.#follow(applied);
    if (state !== 'lost') return state;
    await this.reload();
    return 'reloaded';
  }

  /** Reads the present journal to its end although a next one is there: whoever seals it must know what it holds. */
  async finishJournal(applied: (change: Change) => void): Promise<void> {
    await this.#read(undefined, applied);
  }

  /** Reads from the position to the end of the newest journal; `lost` when the way there is gone. */
  async #follow(applied: (change: Change) => void): Promise<'current' | 'unsealed' | 'lost'> {
    const { files, file } = this.#options;
    for (;;) {
      const { number } = this.#position;
      const next = journalPath(file, number + 1);
      const hasNext = (await files.stat(next)) !== null;
      const sealed = hasNext ? (await readHeader(files, next))?.sealed : null;
      if (hasNext && !sealed) {
        // Whoever began the next journal has yet to say how far this one counts.
        return 'unsealed';
      }
      if (sealed && (sealed.number !== number || this.#position.offset > sealed.length)) return 'lost';
      const there = await this.#read(sealed?.length, applied);
      if (!there && this.#position.offset !== sealed?.length) return 'lost';
      if (!sealed) return 'current';
      this.#position = { number: number + 1, offset: 0, length: 0 };
    }
  }

  /** Takes in the present journal from the position on; false when it is not there. */
  async #read(to: number | undefined, applied: (change: Change) => void): Promise<boolean> {
    const path = journalPath(this.#options.file, this.#position.number);
    const part = await readJournal(this.#options.files, path, this.#position.offset, to);
    if (!part) return false;
    this.#apply(part.records, applied);
    if (part.damaged) this.#options.note('warning', `${path}: ${part.damaged} torn or foreign lines were skipped`);
    this.#position.offset = part.end;
    this.#position.length = part.length;
    return true;
  }

  #apply(records: readonly JournalRecord[], applied: (change: Change) => void): void {
    for (const record of records) {
      if (isHeader(record)) continue;
      if (isSnapshotMark(record)) {
        this.published(record.snapshot);
        continue;
      }
      if (this.#live.apply(record)) applied(record);
    }
  }

  /** A snapshot of the present state was, or is about to be, published. */
  published(mark: PublishedSnapshot): void {
    this.#live.markPublished();
    this.#marks = [...this.#marks, mark].slice(-keptMarks);
  }
}
