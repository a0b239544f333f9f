import type { Manifest } from '../../manifest/manifest.ts';
import { isRemoved } from '../../manifest/workRules.ts';
import { asError } from '../../model/asError.ts';
import type { Clock } from '../../model/clock.ts';
import type { Entry } from '../../model/entry.ts';
import type { NoteEvent } from '../../model/event.ts';
import type { Share, Shares } from '../../share/share.ts';
import type { RemoteCopy } from '../syncer/syncImage.ts';

export interface DoubtfulCopiesOptions {
  manifest: Pick<Manifest, 'entries'>;
  shares: Shares;
  /** `remote_root_dir`. */
  remoteRoot: string;
  clock: Clock;
  note: (level: NoteEvent['level'], message: string) => void;
}

/** So many of the newest copies may have come in the last minute before a power cut. */
const newestCopies = 1_024;
const copiesPerCall = 256;
/** A share that is away, or has copies that are not whole, is asked again after so long, ms. */
const askAgainMs = 60_000;
/** A share that does not answer for so long hangs, ms. */
const deadlineMs = 60_000;

/**
 * The newest copies on the share, as they were when this process began: a power cut may have emptied them, where the share's disk
 * was cut off too, and their images here must not go before they were looked at. Each stays doubtful until the share has it in full
 * length; the syncer copies again what is not.
 *
 * Images that were copied since are none of them: a copy counts only once it was made durable and read back.
 */
export class DoubtfulCopies {
  readonly #options: DoubtfulCopiesOptions;
  readonly #copies: Map<string, RemoteCopy>;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isTold = false;

  constructor(options: DoubtfulCopiesOptions) {
    this.#options = options;
    const newest: [string, RemoteCopy][] = [];
    for (const entry of options.manifest.entries()) {
      const { path, size } = (entry.remote_copy ?? {}) as Partial<RemoteCopy>;
      if (!entry.image_synced || isRemoved(entry) || typeof path !== 'string' || typeof size !== 'number') continue;
      newest.push([entry.entry_id, entry.remote_copy as RemoteCopy]);
    }
    this.#copies = new Map(newest.slice(-newestCopies));
  }

  /** How many of these, from the first on, are not doubtful. */
  undoubted(entries: Iterable<Entry>, most: number): number {
    if (this.#copies.size === 0) return most;
    let count = 0;
    for (const { entry_id: id } of entries) {
      if (count === most || this.#copies.has(id)) break;
      count++;
    }
    return count;
  }

  /**
   * Asks the share, unless it was asked a short while ago. Never rejects: what it does not tell, or not before `signal` is aborted,
   * stays doubtful.
   */
  async ask(signal: AbortSignal): Promise<void> {
    const { clock, shares, remoteRoot, note } = this.#options;
    if (this.#copies.size === 0 || clock.monotonic() - this.#askedAt < askAgainMs) return;
    this.#askedAt = clock.monotonic();
    const share = shares.open({ root: remoteRoot, bytesPerSecond: 0, deadlineMs });
    try {
      const left = await this.#look(share, signal);
      if (left > 0 && !this.#isTold)
        note(
          'warning',
          `${left} copies on ${remoteRoot} are not whole: their images stay here until they are copied again`,
        );
      this.#isTold = left > 0;
    } catch (error) {
      if (!this.#isTold)
        note(
          'info',
          `${remoteRoot} does not tell whether the newest copies are whole, and their images stay: ${asError(error).message}`,
        );
      this.#isTold = true;
    } finally {
      await share.close();
    }
  }

  /** Returns how many are not whole. */
  async #look(share: Share, signal: AbortSignal): Promise<number> {
    const copies = [...this.#copies];
    let left = 0;
    for (let at = 0; at < copies.length; at += copiesPerCall) {
      const some = copies.slice(at, at + copiesPerCall);
      const paths = some.map(([, { path }]) => path);
      const stats = await share.call('stats', paths, signal);
      for (const [i, [id, { size }]] of some.entries()) {
        if (size > 0 && stats[i]?.size === size) this.#copies.delete(id);
        else left++;
      }
    }
    return left;
  }
}
