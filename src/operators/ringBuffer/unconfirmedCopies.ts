import { Subject } from 'rxjs';
import type { Files } from '../../files/files.ts';
import { isRemoved } from '../../manifest/workRules.ts';
import { asError } from '../../model/asError.ts';
import type { Clock } from '../../model/clock.ts';
import type { Entry } from '../../model/entry.ts';
import type { NoteEvent } from '../../model/event.ts';
import { counted } from '../../model/quantity.ts';
import { copyOf, type RemoteCopy } from '../../model/remoteCopy.ts';
import type { Share, Shares } from '../../share/share.ts';
import { ShareRecord } from '../../share/shareRecord.ts';

export interface UnconfirmedCopiesOptions {
  /** The newest entries whose copies are to be doubted (see {@link isCopyDoubted}), at least {@link newestCopies}. */
  newest: readonly Entry[];
  shares: Shares;
  files: Files;
  /** `remote_root_dir`. */
  remoteRoot: string;
  /** `flag_dir`: says which share this is. */
  flagsFolder: string;
  clock: Clock;
  note: (level: NoteEvent['level'], message: string) => void;
}

/** So many of the newest copies may have come in the last minute before a power cut. */
export const newestCopies = 1_024;

/** Whether an image may go once its copy was looked at. */
export function isCopyDoubted(entry: Entry): boolean {
  return entry.image_synced && !isRemoved(entry) && copyOf(entry) !== null;
}

const copiesPerCall = 256;
/** A share that is away, or has copies that are not whole, is asked again after so long, ms. */
const askAgainMs = 60_000;
/** A share that does not answer for so long hangs, ms. */
const deadlineMs = 60_000;

/**
 * The newest copies on the share, as they were when this process began: a power cut may have emptied them, where the share's disk
 * was cut off too, and their images here must not go before they were looked at. Each stays unconfirmed until the share has it in full
 * length; the syncer copies again what is not.
 *
 * Images that were copied since are none of them: a copy counts only once it was made durable and read back.
 */
export class UnconfirmedCopies {
  readonly #options: UnconfirmedCopiesOptions;
  readonly #copies: Map<string, RemoteCopy>;
  readonly #answered$ = new Subject<void>();
  /** The share has told of copies. */
  readonly answered$ = this.#answered$.asObservable();
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: { ended: Promise<void>; leaving: AbortController } | null = null;
  /** What was said last of why copies are unconfirmed. */
  #lastNote = '';

  constructor(options: UnconfirmedCopiesOptions) {
    this.#options = options;
    this.#copies = new Map(options.newest.map(entry => [entry.entry_id, copyOf(entry)!]));
  }

  /** Whether there are any. */
  get areLeft(): boolean {
    return this.#copies.size > 0;
  }

  has({ entry_id: id }: Entry): boolean {
    return this.#copies.has(id);
  }

  /**
   * Asks the share, unless it was asked a short while ago, and waits for nothing: a share may take a minute to show that it hangs. What
   * it does not tell stays unconfirmed; {@link answered$} emits when it has told something.
   */
  ask(): void {
    const now = this.#options.clock.monotonic();
    if (!this.areLeft || this.#asking || now - this.#askedAt < askAgainMs) return;
    this.#askedAt = now;
    const leaving = new AbortController();
    const ended = this.#ask(leaving.signal).finally(() => {
      this.#asking = null;
    });
    this.#asking = { ended, leaving };
  }

  /** Ends what is asked now. It may be asked again. */
  async close(): Promise<void> {
    this.#askedAt = Number.NEGATIVE_INFINITY;
    this.#asking?.leaving.abort();
    await this.#asking?.ended;
  }

  /** Never rejects. */
  async #ask(signal: AbortSignal): Promise<void> {
    const { shares, remoteRoot, flagsFolder, files } = this.#options;
    const share = shares.open({ root: remoteRoot, bytesPerSecond: 0, deadlineMs });
    const before = this.#copies.size;
    try {
      const known = await new ShareRecord(flagsFolder, files).known(remoteRoot);
      // The syncer alone takes a share into use.
      if (known === null) throw new Error('the syncer has not found it yet');
      await share.call('enter', { known, fresh: '' }, signal);
      const left = await this.#look(share, signal);
      const copies = counted(left, 'copy', 'copies');
      this.#noteOnce(
        left === 0
          ? ''
          : `${copies} on ${remoteRoot} ${left === 1 ? 'is' : 'are'} not whole: their images stay here until they are copied again`,
      );
    } catch (error) {
      if (!signal.aborted) {
        const copies = counted(this.#copies.size, 'newest copy', 'newest copies');
        this.#noteOnce(
          `${remoteRoot} does not tell whether the ${copies} are whole, and their images stay here: ${asError(error).message}`,
        );
      }
    } finally {
      await share.close();
    }
    if (this.#copies.size < before) this.#answered$.next();
  }

  #noteOnce(message: string): void {
    if (message !== '' && message !== this.#lastNote) this.#options.note('warning', message);
    this.#lastNote = message;
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
        if (stats[i]?.size === size) this.#copies.delete(id);
        else left++;
      }
    }
    return left;
  }
}
