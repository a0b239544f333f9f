import { removeFile } from '../files/durableNames.ts';
import type { Files } from '../files/files.ts';
import type { Entry } from '../model/entry.ts';
import { ArchiveError, archiveFolder, lateCopiedSegments, markedSegments, readSegment } from './archive.ts';
import type { EntryLog } from './entryLog.ts';
import type { Note } from './entryReader.ts';
import { appendLateOutcomes, readLateOutcomes } from './lateOutcomes.ts';
import type { MovedSegments } from './movedSegments.ts';

export interface ArchivedQueueOptions {
  file: string;
  files: Files;
  log: EntryLog;
  moved: MovedSegments;
  /** Whether an archived entry waits for its copy; asked only while images are copied at all. */
  isWaiting: (entry: Entry) => boolean;
  note: Note;
}

/** A segment some of whose entries wait, or did when it was read last. */
interface Segment {
  name: string;
  marker: string;
  /** Entries that wait, as far as is known: as it was marked, until it is read. */
  waiting: number;
  /** Entries that the stage has in flight. */
  inFlight: number;
  /** All that waited in it were handed out, and not released since. */
  isLookedThrough: boolean;
  /** One that had not left the live manifest when the segment was read, and its revision: until it has, nothing is taken from it. */
  pending: { id: string; rev: number } | null;
  /** It can't be read; it is tried again when something else is released. */
  isUnreadable: boolean;
}

interface InWork {
  segment: Segment;
  entry: Entry;
}

/** Those that can't be copied stay in flight until they are released: so many at most, that memory stays bounded. */
const maxInWork = 5_000;

/**
 * Archived entries that wait for their copy on the share, in order of collection. They stay in the archive: what comes of the work is
 * added to the list of their segment (`lateOutcomes`), durable before it counts.
 *
 * The syncer is exclusive, so nobody else works on them, and no claim is recorded. Whoever brings one back meanwhile (`requeue`) goes on
 * with another revision of it, of which the outcome says nothing: its image is then copied again, or found there.
 *
 * What is kept in memory are the names of the marked segments, and the entries of one. A start reads no segment.
 */
export class ArchivedQueue {
  readonly #options: ArchivedQueueOptions;
  readonly #archive: string;
  readonly #inFlight = new Map<string, InWork>();
  #segments: Segment[] = [];
  /** Segments may have come that are not in `#segments`. */
  #isBehind = true;
  #refreshing: Promise<void> | null = null;
  /** The segment that was read last, and its entries that waited then and were not handed out. */
  #loaded: { segment: Segment; entries: Entry[] } | null = null;
  /** The outcomes are recorded one after the other. */
  #recording: Promise<unknown> = Promise.resolve();

  constructor(options: ArchivedQueueOptions) {
    this.#options = options;
    this.#archive = archiveFolder(options.file);
    options.log.changes$.subscribe(change => {
      if (!('reloaded' in change) && change.op !== 'archive') return;
      this.#isBehind = true;
      // For the count; who claims looks himself, and is told what is wrong.
      void this.refresh().catch(() => undefined);
    });
  }

  /** How many wait, as of the last look. */
  get waiting(): number {
    return this.#segments.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Whether an entry is one that the stage has in flight from here. */
  has({ entry_id: id, rev }: Entry): boolean {
    return this.#inFlight.get(id)?.entry.rev === rev;
  }

  /** Takes in the segments that have come. Errors are the file system's. */
  async refresh(): Promise<void> {
    while (this.#isBehind || this.#refreshing !== null) {
      this.#refreshing ??= this.#list().finally(() => {
        this.#refreshing = null;
      });
      await this.#refreshing;
    }
  }

  /** Takes up to `count`, oldest first. Only while images are copied at all: else a segment would seem to be done. Errors are the file system's. */
  async claim(count: number): Promise<Entry[]> {
    await this.refresh();
    const taken: Entry[] = [];
    for (const segment of [...this.#segments]) {
      if (taken.length === count || this.#inFlight.size >= maxInWork) break;
      if (segment.isLookedThrough || segment.isUnreadable || this.#isPending(segment)) continue;
      const entries = await this.#load(segment);
      while (entries.length > 0 && taken.length < count && this.#inFlight.size < maxInWork) {
        const entry = entries.shift()!;
        // Somebody has brought it back since.
        if (this.#options.log.live.get(entry.entry_id)) continue;
        this.#inFlight.set(entry.entry_id, { segment, entry });
        segment.inFlight++;
        taken.push(entry);
      }
      if (this.#loaded?.segment !== segment) continue;
      segment.waiting = entries.length;
      segment.isLookedThrough = entries.length === 0;
      await this.#endIfDone(segment);
    }
    return taken;
  }

  /** Records the outcome of entries in flight, durably. Resolves with how many count: none that was brought back meanwhile. */
  async settle(claimed: readonly Entry[], set: Partial<Entry>): Promise<number> {
    const settled: InWork[] = [];
    for (const entry of claimed) {
      const held = this.#inFlight.get(entry.entry_id);
      if (held && !this.#options.log.live.get(entry.entry_id)) settled.push(held);
    }
    const recorded = this.#recording.then(() => this.#record(settled, set));
    this.#recording = recorded.catch(() => undefined);
    await recorded;
    for (const entry of claimed) await this.#end(entry);
    for (const { entry } of settled)
      this.#options.log.announce({ id: entry.entry_id, op: 'settle', entry: { ...entry, ...set } });
    return settled.length;
  }

  /** Gives entries back as they were. */
  releaseEventually(claimed: readonly Entry[]): void {
    for (const { entry_id: id } of claimed) {
      const held = this.#inFlight.get(id);
      if (!held) continue;
      const { segment } = held;
      this.#inFlight.delete(id);
      segment.inFlight--;
      segment.waiting++;
      segment.isLookedThrough = false;
      if (this.#loaded?.segment === segment) this.#loaded = null;
    }
    for (const segment of this.#segments) segment.isUnreadable = false;
  }

  /**
   * Notes of entries of a segment that the ring buffer has brought back and that were not copied: they wait there no more. By the ring
   * buffer alone.
   */
  async passOver(segment: string, entries: readonly Entry[]): Promise<void> {
    const { files, note } = this.#options;
    const left = entries.filter(entry => !entry.image_synced).map(({ entry_id, rev }) => ({ entry_id, rev, set: {} }));
    if (left.length === 0) return;
    try {
      await appendLateOutcomes(files, this.#archive, segment, 'ring_buffer', left);
    } catch (error) {
      note(
        'warning',
        `images that were removed before they were copied may be reported as failed: ${(error as Error).message}`,
      );
    }
  }

  /** The `count` newest of those entries whose images were copied while they were archived, oldest first. */
  async newestCopied(count: number, isWanted: (entry: Entry) => boolean): Promise<Entry[]> {
    const { files, file } = this.#options;
    let newest: Entry[] = [];
    for (const name of (await lateCopiedSegments(files, file)).reverse()) {
      if (newest.length >= count) break;
      const outcomes = await readLateOutcomes(files, this.#archive, name, 'syncer');
      const copied = new Set(outcomes.map(({ entry_id: id }) => id));
      const entries = (await this.#read(name)) ?? [];
      newest = [...entries.filter(entry => copied.has(entry.entry_id) && isWanted(entry)), ...newest];
    }
    return newest.slice(-count);
  }

  async #list(): Promise<void> {
    const { files, file } = this.#options;
    this.#isBehind = false;
    try {
      const known = new Map(this.#segments.map(segment => [segment.name, segment]));
      const segments: Segment[] = [];
      for (const { name, waiting, marker } of await markedSegments(files, file)) {
        let segment = known.get(name);
        if (!segment) {
          const copied = await readLateOutcomes(files, this.#archive, name, 'syncer');
          const left = Math.max(0, waiting - copied.length);
          segment = {
            name,
            marker,
            waiting: left,
            inFlight: 0,
            isLookedThrough: false,
            pending: null,
            isUnreadable: false,
          };
        }
        segments.push(segment);
      }
      this.#segments = segments;
    } catch (error) {
      this.#isBehind = true;
      throw error;
    }
  }

  /** The entries of a segment that wait and are not in flight. None for one that is to be left alone for now: it is not `#loaded` then. */
  async #load(segment: Segment): Promise<Entry[]> {
    if (this.#loaded?.segment === segment) return this.#loaded.entries;
    this.#loaded = null;
    const { log, isWaiting } = this.#options;
    const all = await this.#read(segment.name);
    if (all === null) {
      segment.isUnreadable = true;
      return [];
    }
    // Whoever wrote it is about to say that they have left the live manifest, or a crash has come between.
    const pending = all.find(({ entry_id: id, rev }) => log.live.get(id)?.rev === rev);
    segment.pending = pending ? { id: pending.entry_id, rev: pending.rev } : null;
    if (pending) return [];
    const left = await readLateOutcomes(this.#options.files, this.#archive, segment.name, 'ring_buffer');
    const passedOver = new Set(left.map(({ entry_id: id, rev }) => `${rev} ${id}`));
    const entries = all.filter(
      entry =>
        isWaiting(entry) &&
        !passedOver.has(`${entry.rev} ${entry.entry_id}`) &&
        !log.live.get(entry.entry_id) &&
        !this.#inFlight.has(entry.entry_id),
    );
    this.#loaded = { segment, entries };
    return entries;
  }

  /** Null for a segment that is damaged, or on a disk that is away. */
  async #read(name: string): Promise<Entry[] | null> {
    const { files, file, moved, note } = this.#options;
    try {
      return await readSegment(files, file, name, moved);
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!(error instanceof ArchiveError) && !isGone) throw error;
      note('warning', `${(error as Error).message}; what waits in it for the share is not copied meanwhile`);
      return null;
    }
  }

  #isPending({ pending }: Segment): boolean {
    return pending !== null && this.#options.log.live.get(pending.id)?.rev === pending.rev;
  }

  async #record(settled: readonly InWork[], set: Partial<Entry>): Promise<void> {
    for (const segment of new Set(settled.map(held => held.segment))) {
      const outcomes = settled
        .filter(held => held.segment === segment)
        .map(({ entry: { entry_id, rev } }) => ({ entry_id, rev, set }));
      await appendLateOutcomes(this.#options.files, this.#archive, segment.name, 'syncer', outcomes);
    }
  }

  async #end({ entry_id: id }: Entry): Promise<void> {
    const held = this.#inFlight.get(id);
    if (!held) return;
    this.#inFlight.delete(id);
    held.segment.inFlight--;
    await this.#endIfDone(held.segment);
  }

  /** Where nothing waits any more the mark goes. It may come back in a power cut: then the segment is read once more. */
  async #endIfDone(segment: Segment): Promise<void> {
    if (!segment.isLookedThrough || segment.inFlight > 0 || !this.#segments.includes(segment)) return;
    this.#segments = this.#segments.filter(one => one !== segment);
    if (this.#loaded?.segment === segment) this.#loaded = null;
    await removeFile(this.#options.files, segment.marker);
  }
}
