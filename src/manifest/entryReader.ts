import type { FileStat, Files } from '../files/files.ts';
import type { Entry } from '../model/entry.ts';
import { counted } from '../model/quantity.ts';
import type { Change } from './change.ts';
import { journalPath, listJournals, readHeader, readJournal } from './journal.ts';
import { isHeader, isSnapshotMark, type JournalRecord, type PublishedSnapshot } from './journalLine.ts';
import { LiveEntries } from './liveEntries.ts';
import { readSnapshot } from './snapshot.ts';
import type { WorkRules } from './workRules.ts';

/** Told of what is found damaged, edited or unusual. */
export type Note = (level: 'info' | 'warning' | 'error', message: string) => void;

export interface EntryReaderOptions {
  /** Path of `metadata_manifest.json`. */
  file: string;
  files: Files;
  isSettled: (entry: Entry) => boolean;
  /** Which stages entries must pass; when they change, `live` is told. Absent: {@link noRules}. */
  rules?: () => WorkRules;
  note: Note;
}

/** `unsealed`: a compaction has only begun, by a process that goes on with it or that died: how far the journal counts is open. */
export type Reach = 'current' | 'unsealed';

const maxReloads = 20;
/** Marks of the snapshots that may stand on the disk: the newest, and one whose compaction a crash cut short. */
const keptMarks = 3;

/** Everything that reading gives; a reload builds a second one and takes it only when it is whole. */
interface State {
  live: LiveEntries;
  /** Newest journal (0: none yet), the byte after its last whole line, and how many bytes of it were seen. */
  position: { number: number; offset: number; length: number };
  marks: PublishedSnapshot[];
  /** A mark asked to read all anew. */
  anew: boolean;
  /** Acknowledged changes that are not there any more, in words: the first of each kind. */
  damage: string[];
}

interface Reading {
  applied: (change: Change) => void;
  /** Everything is read from the snapshot on. */
  reloading: boolean;
}

/**
 * The read side of the manifest: the state as snapshot and journals give it. It takes no lock and writes nothing, so any
 * number of processes may read while others write. Two readers that have read equally far hold the same state.
 *
 * A journal counts up to the byte at which the header of the next one seals it; the newest counts as far as it goes.
 */
export class EntryReader {
  readonly #options: EntryReaderOptions;
  #state: State;
  #loaded = false;
  #snapshotStat: FileStat | null = null;
  #snapshotIsOurs = false;
  #isSnapshotBroken = false;

  constructor(options: EntryReaderOptions) {
    this.#options = options;
    this.#state = emptyState(options);
  }

  get live(): LiveEntries {
    return this.#state.live;
  }

  get position(): Readonly<State['position']> {
    return this.#state.position;
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
    return this.#state.marks.some(mark => isSame(mark, snapshot));
  }

  /** What was found lost of the journals when all was read last, in words; empty when all is well. */
  get damage(): readonly string[] {
    return this.#state.damage;
  }

  /** What stands on the disk can't be read: somebody has edited it, and may mend it. */
  get isSnapshotBroken(): boolean {
    return this.#isSnapshotBroken;
  }

  /** Notes that what the snapshot on the disk says is known, whoever wrote it; null: look at it again. */
  sawSnapshot(stat: FileStat | null, { isBroken = false } = {}): void {
    this.#snapshotStat = stat;
    this.#isSnapshotBroken = isBroken;
  }

  /** The writer has appended `end - length` bytes that stand where they should, and has applied them itself. */
  advance(end: number): void {
    this.#state.position.offset = end;
    this.#state.position.length = end;
  }

  /** A snapshot of the state at the beginning of the present journal is about to be published. */
  published(mark: PublishedSnapshot): void {
    publish(this.#state, mark);
    this.#snapshotIsOurs = true;
  }

  /**
   * Takes in what was written since; at first, and when the way there is gone, everything. `applied` is told of every change that counts, in
   * their order, but not of a reload.
   */
  async catchUp(applied: (change: Change) => void = () => undefined): Promise<{ reach: Reach; reloaded: boolean }> {
    if (this.#loaded) {
      const reach = await this.#follow(this.#state, { applied, reloading: false });
      if (reach !== 'lost') return { reach, reloaded: false };
    }
    return { reach: await this.#reload(), reloaded: true };
  }

  /** Reads the present journal to its end although a next one is there: whoever seals it must know what it holds. */
  async finishJournal(applied: (change: Change) => void): Promise<void> {
    await this.#read(this.#state, undefined, { applied, reloading: false });
  }

  async #reload(): Promise<Reach> {
    const { files, file } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const before = await files.stat(file);
      const state = emptyState(this.#options);
      const snapshot = await readSnapshot(files, file, entry => state.live.load(entry));
      const first = await this.#firstJournal();
      state.position.number = first;
      // With the second journal a snapshot is written, before the first one goes.
      if (before === null && first > 1) snapshot.problems.push('it is not there, and its first journal is gone');
      const reach = await this.#follow(state, { applied: () => undefined, reloading: true });
      const after = await files.stat(file);
      if (reach !== 'lost' && sameFile(before, after)) {
        mustBeWhole(file, snapshot.problems);
        const isNew = after !== null && !state.marks.some(mark => isSame(mark, snapshot));
        // Whoever begins a journal writes its header before he replaces the snapshot that the one before knows.
        if (reach === 'unsealed' && first > 0 && isNew)
          state.damage.push(`${journalPath(file, first + 1)} has lost its beginning`);
        this.#state = { ...state, anew: false };
        this.#loaded = true;
        this.#snapshotStat = after;
        this.#snapshotIsOurs = after !== null && this.isKnown(snapshot);
        return reach;
      }
      if (attempt === maxReloads) throw new Error(`${file} keeps changing while it is read; tried ${maxReloads} times`);
    }
  }

  /**
   * The journal to begin with: the oldest from which all to the newest are there. One without a header is none that was
   * ever used: a process that was suspended for several compactions has made it again after its removal.
   */
  async #firstJournal(): Promise<number> {
    const { files, file } = this.#options;
    const numbers = new Set(await listJournals(files, file));
    const begun = async (number: number): Promise<boolean> =>
      numbers.has(number) && (await readHeader(files, journalPath(file, number))) !== null;
    // One that was begun after the manifest was rebuilt goes on from none.
    const continues = async (number: number): Promise<boolean> =>
      (await readHeader(files, journalPath(file, number)))?.sealed !== null;
    const newest = Math.max(0, ...numbers);
    // The newest may have been made only: then it is the one before it that is to be sealed.
    let first = newest > 0 && !(await begun(newest)) ? newest - 1 : newest;
    while (first > 1 && (await continues(first)) && (await begun(first - 1))) first--;
    return first;
  }

  /** Reads from the position to the end of the newest journal; `lost` when the way there is gone. */
  async #follow(state: State, reading: Reading): Promise<Reach | 'lost'> {
    const { files, file, note } = this.#options;
    for (;;) {
      const { number } = state.position;
      // The whole list: a process that was suspended for several compactions may make a journal again after its removal.
      const numbers = await listJournals(files, file);
      const hasNext = numbers.includes(number + 1);
      const header = hasNext ? await readHeader(files, journalPath(file, number + 1)) : null;
      if (!header && state.anew && !reading.reloading) return 'lost';
      if (hasNext && !header) return 'unsealed';
      if (!header) {
        if (Math.max(0, ...numbers) > number) return 'lost';
        const there = number === 0 || (await this.#read(state, undefined, reading));
        if (!there) return 'lost';
        return state.anew && !reading.reloading ? 'lost' : 'current';
      }
      const sealed = header.sealed ?? { number: 0, length: 0 };
      if (sealed.number !== number || state.position.offset > sealed.length) return 'lost';
      if (number > 0) await this.#read(state, sealed.length, reading);
      if (state.position.offset !== sealed.length) {
        // Gone, or made again by a process that was suspended. The snapshot holds all that it said, so begin with that.
        if (!reading.reloading) return 'lost';
        const missing = `${journalPath(file, number)} ends ${sealed.length - state.position.offset} bytes too early`;
        state.damage.push(missing);
        note('warning', missing);
      }
      state.position = { number: number + 1, offset: 0, length: 0 };
      state.live.journalBegan();
    }
  }

  /** Takes in the present journal from the position on; false when it is not there. */
  async #read(state: State, to: number | undefined, reading: Reading): Promise<boolean> {
    const { position } = state;
    const path = journalPath(this.#options.file, position.number);
    const part = await readJournal(this.#options.files, path, { from: position.offset, to }, record =>
      take(state, record, reading),
    );
    if (!part) return false;
    if (part.damaged) this.#options.note('warning', `${path}: ${part.damaged} torn or foreign lines were skipped`);
    if (part.changed)
      state.damage.push(`${path}: ${counted(part.changed, 'line was', 'lines were')} changed after being written`);
    position.offset = part.end;
    position.length = part.length;
    return true;
  }
}

/** A manifest that can't be read as a whole: to go on with the rest of it would lose what it says. */
export class DamagedManifestError extends Error {
  override name = 'DamagedManifestError';
  /** What is wrong, in a few words. */
  readonly damage: string;

  constructor(file: string, damage: string) {
    super(
      `${file} can't be read: ${damage}. The next start, or 'phorest verify --repair', keeps a copy of it and rebuilds it from ` +
        'journals, archive, results and images; or put a good copy in its place first.',
    );
    this.damage = damage;
  }
}

/** @throws DamagedManifestError */
export function mustBeWhole(file: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new DamagedManifestError(file, `${problems[0]}${more}`);
}

function emptyState({ isSettled, rules }: EntryReaderOptions): State {
  return {
    live: new LiveEntries(isSettled, rules),
    position: { number: 0, offset: 0, length: 0 },
    marks: [],
    anew: false,
    damage: [],
  };
}

function take(state: State, record: JournalRecord, reading: Reading): void {
  if (isHeader(record)) return;
  if (isSnapshotMark(record)) {
    publish(state, record.snapshot);
    state.anew ||= record.anew === true;
  } else if (state.live.apply(record)) reading.applied(record);
  else if (reading.reloading && state.damage.length === 0) {
    const rev = state.live.get(record.id)?.rev;
    // A change that is void comes too late, never too early.
    if (rev !== undefined && record.rev > rev + 1)
      state.damage.push(`changes of ${record.id} before its ${record.rev}th are lost`);
  }
}

function publish(state: State, mark: PublishedSnapshot): void {
  state.live.markPublished();
  state.marks = [...state.marks, mark].slice(-keptMarks);
}

const isSame = (a: PublishedSnapshot, b: PublishedSnapshot): boolean => a.size === b.size && a.crc === b.crc;

function sameFile(a: FileStat | null, b: FileStat | null): boolean {
  return a?.ino === b?.ino && a?.mtimeMs === b?.mtimeMs && a?.size === b?.size;
}
