import { syncGrown, trimOnce } from '../files/durableNames.ts';
import type { Files, OpenFile } from '../files/files.ts';
import { encodeLine, type JournalRecord, tornMark } from './journalLine.ts';

/**
 * What came of an append: `clean` when every byte stands, durable, exactly where it was expected. Else something came
 * between, or not all of it was written: what counts is what the journal says when read again.
 */
export type AppendOutcome =
  | { clean: true; end: number }
  /** `synced` false: the fsync failed, and nobody knows which of the journal's bytes a power cut would leave. */
  | { clean: false; synced: boolean; error: Error | null };

/**
 * Appends to one journal and keeps it open. Used under the manifest's lock; it does not believe in the lock, but looks
 * whether its bytes stand where they must.
 */
export class JournalWriter {
  readonly path: string;
  readonly #files: Files;
  #file: OpenFile | null = null;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.path = path;
  }

  /**
   * Appends in one write and one fsync; never rejects.
   *
   * @param expectedLength bytes that the caller has seen in the journal.
   * @param torn the last line that the caller has seen has no end.
   */
  async append(records: readonly JournalRecord[], expectedLength: number, torn = false): Promise<AppendOutcome> {
    const data = Buffer.from((torn ? tornMark : '') + records.map(encodeLine).join(''));
    try {
      await trimOnce(this.#files, this.path);
      this.#file ??= await this.#files.open(this.path, 'a');
    } catch (error) {
      return { clean: false, synced: true, error: error as Error };
    }
    const file = this.#file;
    let error: Error | null = null;
    try {
      const taken = await file.write(data, null);
      if (taken < data.length) error = shortWrite(this.path, taken, data.length);
    } catch (cause) {
      error = cause as Error;
    }
    try {
      // Also after a failed write: whole lines that it did write may be taken for written.
      await syncGrown(this.#files, this.path, file);
    } catch (cause) {
      return { clean: false, synced: false, error: error ?? (cause as Error) };
    }
    try {
      // A journal only grows: where it ends as expected, nothing came between.
      const end = await file.size();
      const stands = error === null && end === expectedLength + data.length;
      return stands ? { clean: true, end } : { clean: false, synced: true, error };
    } catch (cause) {
      return { clean: false, synced: true, error: error ?? (cause as Error) };
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}

function shortWrite(path: string, taken: number, length: number): Error {
  const error: NodeJS.ErrnoException = new Error(
    `${path}: only ${taken} of ${length} bytes were written; is the disk full?`,
  );
  error.code = 'ENOSPC';
  error.path = path;
  return error;
}
