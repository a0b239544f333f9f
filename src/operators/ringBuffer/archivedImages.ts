import type { Subscription } from 'rxjs';
import type { Exclusive } from '../../files/fileLock.ts';
import { ArchiveError } from '../../manifest/archive.ts';
import type { LogChange } from '../../manifest/entryLog.ts';
import { IdTable } from '../../manifest/idTable.ts';
import type { Archive, Queue } from '../../manifest/queue.ts';
import { takesSpace } from '../../manifest/workRules.ts';
import type { Entry } from '../../model/entry.ts';

export interface ArchivedImagesOptions {
  queue: Queue;
  archive: Archive;
  /** Nobody else brings entries back from the archive while this is held. */
  restoreLock: Exclusive;
  /** Told of a segment that can't be read: its images stay. */
  note: (message: string) => void;
}

interface Segment {
  name: string;
  /** Places of those entries in it whose image is here, and of which no later copy was known when it was read. */
  left: number[];
  /** Those in `left` before this one may not be removed under the present rules. */
  next: number;
  /** Which reading it was first seen in. */
  epoch: number;
  /** Bytes of the list of its copies when it was loaded last: more of them may allow what could not go before. */
  copiedBytes: number;
}

/**
 * The images of archived entries that are still on this machine: how many, and the oldest of those that may be removed.
 *
 * All segments are read once, newest first, since a segment may hold what a later one has newer; each that comes later is read
 * once when it comes, and each once more when its turn has come. So an image costs the same however many there are. What is
 * kept in memory are a few bytes an image, and the entries of one segment.
 *
 * Entries that somebody brings back meanwhile are heard of through the manifest's changes, from {@link listen} on; when
 * those are lost, everything is read anew. In doubt an image is left alone.
 */
export class ArchivedImages {
  readonly #options: ArchivedImagesOptions;
  /** Those with an image left, in order of the archive. */
  #segments: Segment[] = [];
  /** Names that were read, also of those without an image. */
  #seen = new Set<string>();
  /** Entries that were brought back, and in which epoch last. */
  #restored = new Map<string, number>();
  #epoch = 0;
  /** The epoch of the last reading that was taken over. */
  #readAt = 0;
  #count = 0;
  /** Segments have come that were not read. */
  #isBehind = true;
  /** What is known here does not hold any more, or nothing is yet. */
  #isLost = true;
  #loaded: { name: string; entries: Entry[] } | null = null;
  /** Images of archived entries were copied to the share. */
  #hasCopied = false;

  constructor(options: ArchivedImagesOptions) {
    this.#options = options;
  }

  /** Images here whose entries are archived, as of the last {@link refresh}. */
  get count(): number {
    return this.#count;
  }

  /** Whether there is something to take in. */
  get isBehind(): boolean {
    return this.#isBehind || this.#isLost;
  }

  /** Whether {@link claim} may find something. */
  get mayHaveMore(): boolean {
    return this.isBehind || this.#hasCopied || this.#segments.some(({ left, next }) => next < left.length);
  }

  listen(): Subscription {
    return this.#options.queue.changes$.subscribe(change => this.#take(change));
  }

  /** Other rules may allow what those before did not. */
  rewind(): void {
    for (const segment of this.#segments) segment.next = 0;
  }

  /** Takes in the segments that have come. Errors are the file system's. */
  async refresh(): Promise<void> {
    while (this.isBehind) {
      if (this.#isLost) this.#clear();
      this.#isBehind = false;
      this.#isLost = false;
      try {
        await this.#readNew();
      } catch (error) {
        this.#isLost = true;
        throw error;
      }
    }
  }

  /**
   * Brings back and claims up to `count` of the oldest that may be removed. Rejects with the errors of the manifest.
   * @param isKept those that may not go for now.
   */
  async claim(count: number, isKept: (entry: Entry) => boolean = () => false): Promise<Entry[]> {
    await this.#takeCopied();
    if (!this.mayHaveMore) return [];
    const { queue, restoreLock } = this.#options;
    return restoreLock(async () => {
      await queue.catchUp();
      await this.refresh();
      const claimed: Entry[] = [];
      for (const segment of this.#segments) {
        if (claimed.length >= count) break;
        if (segment.next < segment.left.length)
          claimed.push(...(await this.#claimOf(segment, count - claimed.length, isKept)));
      }
      this.#segments = this.#segments.filter(({ left }) => left.length > 0);
      return claimed;
    });
  }

  async #claimOf(segment: Segment, count: number, isKept: (entry: Entry) => boolean): Promise<Entry[]> {
    const { queue } = this.#options;
    const entries = await this.#load(segment);
    const chosen: Entry[] = [];
    const begun = segment.next;
    const gone = new Set<number>();
    while (chosen.length < count && segment.next < segment.left.length) {
      const place = segment.left[segment.next++]!;
      const entry = entries[place]!;
      const { entry_id: id } = entry;
      const isOld = (this.#restored.get(id) ?? -1) >= segment.epoch || queue.get(id) !== undefined;
      if (isOld) gone.add(place);
      else if (queue.isFor('ring_buffer', entry) && !isKept(entry)) chosen.push(entry);
    }
    try {
      const claimed = chosen.length > 0 ? await this.#options.archive.claim(segment.name, chosen) : [];
      const live = new Set(chosen.filter(({ entry_id: id }) => queue.get(id)));
      for (let at = begun; at < segment.next; at++) {
        const place = segment.left[at]!;
        if (live.has(entries[place]!)) gone.add(place);
      }
      for (const { entry_id: id } of claimed) this.#restored.delete(id);
      segment.left = segment.left.filter(place => !gone.has(place));
      segment.next -= gone.size;
      return claimed;
    } catch (error) {
      segment.next = begun;
      throw error;
    }
  }

  /** Looks at those segments again of which images were copied since: by this process, or by another. */
  async #takeCopied(): Promise<void> {
    this.#hasCopied = false;
    for (const [name, bytes] of await this.#options.archive.copiedBytes(this.#segments.map(({ name }) => name))) {
      const segment = this.#segments.find(one => one.name === name)!;
      if (segment.copiedBytes === bytes) continue;
      segment.copiedBytes = bytes;
      segment.next = 0;
      if (this.#loaded?.name === name) this.#loaded = null;
    }
  }

  async #load(segment: Segment): Promise<Entry[]> {
    if (this.#loaded?.name === segment.name) return this.#loaded.entries;
    this.#loaded = null;
    const entries = await this.#entries(segment.name);
    if (entries.length === 0) {
      this.#count -= segment.left.length;
      Object.assign(segment, { left: [], next: 0 });
    }
    this.#loaded = { name: segment.name, entries };
    return entries;
  }

  /** None for a segment that is damaged. */
  async #entries(name: string): Promise<Entry[]> {
    try {
      return await this.#options.archive.segment(name);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      this.#options.note(`${error.message}; its images are not counted, and stay`);
      return [];
    }
  }

  /** Takes over what it reads only when nothing was archived meanwhile: else a copy might pass for the newest that is not. */
  async #readNew(): Promise<void> {
    const epoch = ++this.#epoch;
    const names = await this.#options.archive.segments();
    const newestSeen = names.findLastIndex(name => this.#seen.has(name));
    const later = new IdTable();
    const read: Segment[] = [];
    let count = 0;
    for (const [place, name] of [...names.entries()].reverse()) {
      // The others stand before one that was read: of a process that slept meanwhile. What they hold is elsewhere newer.
      if (place <= newestSeen) break;
      const found = await this.#read(name, later);
      if (this.isBehind) return;
      if (found === null) continue;
      read.push({ name, left: found.left, next: 0, epoch, copiedBytes: 0 });
      count += found.count;
    }
    for (const { name } of read) this.#seen.add(name);
    const segments = new Map([...this.#segments, ...read].map(segment => [segment.name, segment]));
    this.#segments = names.flatMap(name => segments.get(name) ?? []).filter(({ left }) => left.length > 0);
    this.#count += count;
    this.#readAt = epoch;
  }

  /**
   * Places in a segment of those whose image is here, and how much that adds to the count; null for a segment whose entries
   * have yet to leave the live manifest: whoever wrote it is about to say so, or a crash has come between.
   *
   * @param later ids of those that later segments of this reading hold.
   */
  async #read(name: string, later: IdTable): Promise<{ left: number[]; count: number } | null> {
    const { queue } = this.#options;
    const entries = await this.#entries(name);
    const isPending = entries.some(({ entry_id: id, rev }) => queue.get(id)?.rev === rev);
    const left: number[] = [];
    let count = 0;
    for (let place = entries.length - 1; place >= 0; place--) {
      const entry = entries[place]!;
      const { entry_id: id } = entry;
      const size = later.size;
      const isOld = later.add(id) !== size || queue.get(id) !== undefined;
      if (!takesSpace(entry)) continue;
      if (!isOld) left.push(place);
      // When it was brought back it was taken off, although it had not been counted yet.
      if (!isOld || (this.#restored.get(id) ?? -1) >= this.#readAt) count++;
    }
    return isPending ? null : { left: left.reverse(), count };
  }

  #take(change: LogChange): void {
    if ('reloaded' in change) this.#isLost = true;
    else if (change.op === 'archive') this.#isBehind = true;
    else if (change.op === 'settle') this.#hasCopied ||= !this.#options.queue.get(change.id);
    else if (change.op === 'restore') {
      // It was archived again before this was told: nobody knows whether it had been counted.
      if (change.entry === null) this.#isLost = true;
      else {
        this.#restored.set(change.id, this.#epoch);
        if (takesSpace(change.entry)) this.#count--;
      }
    }
  }

  #clear(): void {
    this.#segments = [];
    this.#seen = new Set();
    this.#restored = new Map();
    this.#count = 0;
    this.#loaded = null;
  }
}
