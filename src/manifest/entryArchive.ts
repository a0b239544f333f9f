import type { Claim, Entry, ProcessIdentity } from '../model/entry.ts';
import { utcIso } from '../model/localTime.ts';
import {
  archiveFolder,
  archiveSegments,
  lateCopiedBytes,
  movableSegments,
  readArchive,
  readSegment,
} from './archive.ts';
import { ArchivedQueue, type ArchivedQueueOptions } from './archivedQueue.ts';
import type { LogChange } from './entryLog.ts';
import { MovedSegments } from './movedSegments.ts';
import { type Moved, moveSegment } from './moveSegment.ts';

export type { LogChange };

export interface EntryArchiveOptions extends Omit<ArchivedQueueOptions, 'moved'> {
  now: () => number;
  own: ProcessIdentity;
  /** Whether the ring buffer may remove the image of an entry. */
  isRemovable: (entry: Entry) => boolean;
}

/**
 * Entries that have left the live manifest, in segments: the second face of the manifest, for who moves segments, removes images of archived
 * entries, or looks at everything. Stages that take their work from the queue need nothing of it.
 */
export class EntryArchive {
  readonly #options: EntryArchiveOptions;
  readonly #moved: MovedSegments;
  /** Entries that wait for the syncer here. */
  readonly waiting: ArchivedQueue;

  constructor(options: EntryArchiveOptions) {
    this.#options = options;
    this.#moved = new MovedSegments(options.files, archiveFolder(options.file));
    this.waiting = new ArchivedQueue({ ...options, moved: this.#moved });
  }

  /** All of them, oldest segment first; one that stands in two segments comes twice, the later one counts. */
  entries(): AsyncGenerator<Entry> {
    return readArchive(this.#options.files, this.#options.file);
  }

  /** Names of the segments, oldest first. One that was written stays as it is. */
  segments(): Promise<string[]> {
    return archiveSegments(this.#options.files, this.#options.file, this.#moved);
  }

  /** The entries of a segment in order, with what came of them since. @throws ArchiveError for one that is damaged. */
  segment(name: string): Promise<Entry[]> {
    return readSegment(this.#options.files, this.#options.file, name, this.#moved);
  }

  /** Moves every settled entry from the live manifest to the archive. Resolves with how many. */
  takeSettled(): Promise<number> {
    return this.#options.log.archiveSettled();
  }

  /** Names of the segments that {@link move} has not moved and may move, oldest first: no entry in them waits for a stage. */
  movableSegments(): Promise<string[]> {
    return movableSegments(this.#options.files, this.#options.file);
  }

  /** Moves a segment to another folder; it is read there from now on, under the same name. One caller at a time in all processes. */
  move(name: string, folder: string): Promise<Moved> {
    return moveSegment(this.#options.files, this.#options.file, name, folder);
  }

  /**
   * Brings entries of a segment back and claims them for the ring buffer, in one change each. Resolves with those that it did; one that is
   * live already, or may not be removed, stays as it is.
   *
   * @param entries as the archive has them last: whoever calls sees to it that nobody else brings them back meanwhile.
   */
  async claim(segment: string, entries: readonly Entry[]): Promise<Entry[]> {
    const { log, own, now, isRemovable } = this.#options;
    const claim: Claim = { ...own, time: utcIso(now()) };
    const claimed = await log.transact(({ live, change }) =>
      entries.flatMap(entry => {
        const { entry_id: id } = entry;
        if (live.get(id) || !isRemovable(entry)) return [];
        change(id, 'restore', entry);
        return [change(id, 'claim', { claims: { ...entry.claims, ring_buffer: claim } }, 'ring_buffer')];
      }),
    );
    const ids = new Set(claimed.map(({ entry_id: id }) => id));
    await this.waiting.passOver(
      segment,
      entries.filter(({ entry_id: id }) => ids.has(id)),
    );
    return claimed;
  }

  /** How long the lists of what was copied to the share of some segments are, in bytes; of those that have one. */
  copiedBytes(segments: readonly string[]): Promise<Map<string, number>> {
    return lateCopiedBytes(this.#options.files, this.#options.file, segments);
  }

  /** About the `count` newest of those entries whose images were copied to the share, archived ones before live ones. */
  async newestCopied(count: number, isWanted: (entry: Entry) => boolean): Promise<Entry[]> {
    const live = [...this.#options.log.live.entries()].filter(entry => entry.image_synced && isWanted(entry));
    return [...(await this.waiting.newestCopied(count, isWanted)), ...live.slice(-count)];
  }
}
