import type { Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { journalPath, listJournals, readHeader, readJournal } from '../../manifest/journal.ts';
import { isHeader, isSnapshotMark, type JournalRecord } from '../../manifest/journalLine.ts';
import { normaliseEntry } from '../../manifest/normaliseEntry.ts';
import { readSnapshot } from '../../manifest/snapshot.ts';
import type { CameraData, Entry } from '../../model/entry.ts';
import { parseIso } from '../../model/localTime.ts';

/** An image of the manifest. */
export interface ManifestImage {
  id: string;
  camera: CameraData;
  /** When it was taken, milliseconds since 1970 UTC. */
  at: number;
}

/** The end of a snapshot is read in windows that grow to this, bytes; one of another form is read as a whole. */
const smallestWindow = 64 << 10;
const largestWindow = 4 << 20;

/**
 * The newest image of a manifest, without holding its entries: from the end of the snapshot, and the journals from there on.
 * It takes no lock and keeps no file open. What was read once is not read again; after folds that it has missed it begins anew.
 * After such a beginning an old image that was brought back from the archive may count as the newest, until the next is taken.
 */
export class NewestImage {
  readonly #files: Files;
  readonly #file: string;
  #newest: (ManifestImage & { rev: number }) | null = null;
  /** The journal that is followed (0: none yet), the byte behind its last whole line, and its size when it was read. */
  #journal: { number: number; end: number; size: number } | null = null;

  /** @param manifestFile `metadata_manifest.json`. */
  constructor(files: Files, manifestFile: string) {
    this.#files = files;
    this.#file = manifestFile;
  }

  /**
   * Null while no image was taken. One call at a time.
   * @throws the file system's error, and JournalFormatError; it may be called again.
   */
  async look(): Promise<ManifestImage | null> {
    if (!this.#journal || !(await this.#follow())) {
      await this.#begin();
      await this.#follow();
    }
    return this.#newest;
  }

  async #begin(): Promise<void> {
    this.#journal = null;
    this.#newest = null;
    // Journals before the snapshot: a fold between the two leaves the same changes in both, and not in neither.
    const [oldest = 0] = await listJournals(this.#files, this.#file);
    const entry = await this.#lastOfSnapshot();
    if (entry) this.#take(entry, entry.rev);
    this.#journal = { number: oldest, end: 0, size: 0 };
  }

  /** Reads on to the end of the newest journal; false when the way there is gone. */
  async #follow(): Promise<boolean> {
    for (;;) {
      const journal = this.#journal!;
      const nextPath = journalPath(this.#file, journal.number + 1);
      const header = (await this.#files.stat(nextPath)) ? await readHeader(this.#files, nextPath) : null;
      const path = journalPath(this.#file, journal.number);
      const stat = journal.number > 0 ? await this.#files.stat(path) : null;
      if (journal.number > 0 && !stat) return false;
      const size = stat?.size ?? 0;
      if (size < journal.end) return false;
      if (size !== journal.size) {
        const to = header?.sealed?.number === journal.number ? header.sealed.length : undefined;
        const part = await readJournal(this.#files, path, { from: journal.end, to }, record => this.#apply(record));
        if (!part) return false;
        journal.end = part.end;
        journal.size = size;
      }
      if (!header) return true;
      this.#journal = { number: journal.number + 1, end: 0, size: 0 };
    }
  }

  #apply(record: JournalRecord): void {
    if (isHeader(record) || isSnapshotMark(record)) return;
    const { id, rev, op, set } = record;
    if (id === this.#newest?.id) {
      if (rev !== this.#newest.rev + 1) return;
      this.#newest = { ...this.#newest, rev, camera: set.camera_data ?? this.#newest.camera };
    } else if (op === 'add' && rev === 1) this.#take({ ...set, entry_id: id }, rev);
  }

  #take(entry: Partial<Entry> & { entry_id: string }, rev: number): void {
    if (!hasImage(entry)) return;
    const { camera_data: camera, timestamp_utc, entry_timestamp_iso } = entry;
    const times = [timestamp_utc, camera.timestamp_iso, entry_timestamp_iso].map(time => parseIso(String(time)));
    this.#newest = { id: entry.entry_id, camera, rev, at: times.find(time => !Number.isNaN(time)) ?? Number.NaN };
  }

  /** The last entry of the snapshot that has an image. We write one a line; others may not. */
  async #lastOfSnapshot(): Promise<Entry | null> {
    const stat = await this.#files.stat(this.#file);
    if (!stat) return null;
    for (let window = smallestWindow; window <= largestWindow; window *= 4) {
      const begin = Math.max(0, stat.size - window);
      const lines = String(await readBytes(this.#files, this.#file, begin, stat.size)).split('\n');
      for (const line of lines.slice(begin === 0 ? 0 : 1).toReversed()) {
        const text = line.trim().replace(/,$/, '');
        if (text === '' || text === '[' || text === ']') continue;
        const entry = entryOf(text);
        if (!entry) return this.#lastOfWhole();
        if (hasImage(entry)) return entry;
      }
      if (begin === 0) return null;
    }
    return this.#lastOfWhole();
  }

  async #lastOfWhole(): Promise<Entry | null> {
    let last: Entry | null = null;
    await readSnapshot(this.#files, this.#file, entry => {
      if (hasImage(entry)) last = entry;
    });
    return last;
  }
}

function hasImage<T extends Partial<Entry>>(entry: T): entry is T & { camera_data: CameraData } {
  const camera = entry.camera_data;
  return typeof camera?.filename === 'string' && camera.filename !== '' && camera.error_flag !== true;
}

function entryOf(text: string): Entry | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const entry = normaliseEntry(value as Record<string, unknown>);
    return typeof entry === 'string' ? null : entry;
  } catch {
    return null;
  }
}
