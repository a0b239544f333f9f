import type { Files, OpenFile } from '../storage/files.ts';
import { encodeLine, type JournalRecord } from './journalLine.ts';

/** What came of an append: `clean` when every byte stands, durable, exactly where it was expected. */
export type AppendOutcome =
  | { clean: true; end: number }
  /** Something came between, or not all of it was written: what counts is what the journal says when read again. */
  | { clean: false; durable: boolean; error: NodeJS.ErrnoException | null };

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

  /** Appends in one write and one fsync. `expectedLength`: bytes that the caller has seen in the journal. */
  async append(records: readonly JournalRecord[], expectedLength: number): Promise<AppendOutcome> {
    const data = Buffer.from(records.map(encodeLine).join(''));
    let error: NodeJS.ErrnoException | null = null;
    let durable = false;
    try {
      this.#file ??= await this.#files.open(this.path, 'a');
      const before = await this.#file.size();
      const taken = await this.#file.write(data, null);
      if (taken < data.length) {
        error = Object.assign(
          new Error(`${this.path}: only ${taken} of ${data.length} bytes were written; is the disk full?`),
          {
            code: 'ENOSPC',
            path: this.path,
          },
        );
      }
      await this.#file.sync();
      durable = true;
      const after = await this.#file.size();
      if (error === null && before === expectedLength && after === before + data.length)
        return { clean: true, end: after };
    } catch (cause) {
      error ??= cause as NodeJS.ErrnoException;
    }
    return { clean: false, durable, error };
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}
