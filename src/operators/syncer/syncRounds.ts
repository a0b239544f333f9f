import type { Queue } from '../../manifest/queue.ts';
import { asError } from '../../model/asError.ts';
import { counted } from '../../model/quantity.ts';
import type { RemoteStat } from '../../share/shareCalls.ts';
import type { Experiment } from '../stage/experiment.ts';
import { bringUpToDate, isLost } from './bringUpToDate.ts';
import { isFilesOwn } from './placeImage.ts';
import { hasNewestImages, type ResyncTools, resync } from './resync.ts';
import { type SyncFile, type SyncPlace, syncFiles } from './syncFiles.ts';
import type { SyncLedger } from './syncLedger.ts';

/** The manifest is written anew for its copy at most so often, ms: at 5,000 live entries that writes 4 MB each time, here and there. */
const compactEveryMs = 600_000;
/** Every copy of a file that never changes is looked at so often, ms, and in the first round with a share. */
const fullEveryMs = 3_600_000;
/**
 * Of the files that never change, so many that were copied last are looked at in each round, here and on the share: an earlier state
 * of it has lost those first.
 */
const newestFixed = 32;
/** Messages that are not said again. */
const maxNoted = 1000;

export interface SyncRoundTools extends ResyncTools, Pick<Experiment, 'note'> {
  tools: Pick<Experiment['tools'], 'clock'>;
  queue: Queue;
  places: readonly SyncPlace[];
  trustWrite: boolean;
  ledger: SyncLedger;
}

/** What rounds leave to those of the next worker. */
export class RoundMemory {
  readonly noted = new Set<string>();
  compactedAt = Number.NEGATIVE_INFINITY;
}

/** What was found here and there. */
interface Look {
  files: { file: SyncFile; present: RemoteStat | null }[];
  notLookedAt: string[];
  isAnyLost: boolean;
}

/**
 * Rounds over all that is no image: each brings every copy up to date, in the order of the places, and copies images again that the
 * share has lost. What has not changed on either side costs a look; what never changes, once copied, only its name in a list.
 *
 * A file that can't be copied for a reason of its own is noted and left for the next round.
 */
export class SyncRounds {
  readonly #tools: SyncRoundTools;
  readonly #memory: RoundMemory;
  /** When every copy was looked at last. */
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(tools: SyncRoundTools, memory: RoundMemory) {
    this.#tools = tools;
    this.#memory = memory;
  }

  /**
   * Resolves with what it has moved. Rejects with the share's failures, and with the reason of `signal`; what was copied till then is
   * remembered.
   * @param isLast the manifest is written anew, however short ago that was.
   */
  async run(isLast: boolean, signal: AbortSignal): Promise<{ files: number; bytes: number }> {
    await this.#foldManifest(isLast);
    const { ledger } = this.#tools;
    const now = this.#tools.tools.clock.monotonic();
    let isFull = ledger.isStale || now - this.#lookedAt >= fullEveryMs;
    let look = await this.#look(isFull, signal);
    if (look.isAnyLost) {
      ledger.isStale = true;
      await ledger.save();
      // The older ones may be lost as well.
      if (!isFull) look = await this.#look(true, signal);
      isFull = true;
    }
    ledger.keepOnly(new Set([...look.files.map(({ file }) => file.remote), ...look.notLookedAt]));
    const moved = await this.#copy(look, signal);
    if (isFull) this.#lookedAt = now;
    ledger.isStale ||= !(await hasNewestImages(this.#tools, signal));
    if (ledger.isStale) await this.#resync(signal);
    return moved;
  }

  /** Writes the manifest's file anew, so that its copy tells the present state. */
  async #foldManifest(isLast: boolean): Promise<void> {
    const { queue, tools, note } = this.#tools;
    const now = tools.clock.monotonic();
    if (!isLast && now - this.#memory.compactedAt < compactEveryMs) return;
    this.#memory.compactedAt = now;
    try {
      await queue.compact();
    } catch (error) {
      note('warning', `the manifest is copied as it was published last: ${asError(error).message}`);
    }
  }

  async #look(isFull: boolean, signal: AbortSignal): Promise<Look> {
    const { places, share, ledger, files } = this.#tools;
    const newest = new Set(ledger.newestFixed(newestFixed));
    const isSettled = (remote: string): boolean => !isFull && ledger.isFixed(remote) && !newest.has(remote);
    const { found, notLookedAt } = await syncFiles(places, files, isSettled);
    const paths = found.map(({ remote }) => {
      const copy = ledger.get(remote);
      return copy?.kind === 'whole' ? copy.at : remote;
    });
    const stats = await share.call('stats', paths, signal);
    const compared = found.map((file, i) => ({ file, present: stats[i] ?? null }));
    const isAnyLost = compared.some(({ file: { remote, stat }, present }) => {
      // Somebody has put it there: the copying of this file says so.
      if (present?.strange) return false;
      return ledger.isFixed(remote) ? present?.size !== stat.size : isLost(ledger.get(remote), present);
    });
    return { files: compared, notLookedAt, isAnyLost };
  }

  async #copy({ files }: Look, signal: AbortSignal): Promise<{ files: number; bytes: number }> {
    const { ledger, tools } = this.#tools;
    const moved = { files: 0, bytes: 0 };
    const now = tools.clock.now();
    try {
      for (const { file, present } of files) {
        signal.throwIfAborted();
        try {
          const warn = (message: string): void => this.#warnOnce(message);
          const bytes = await bringUpToDate(file, present, { ...this.#tools, now, warn, signal });
          if (bytes === null) continue;
          moved.files++;
          moved.bytes += bytes;
        } catch (error) {
          if (signal.aborted || !isFilesOwn(error)) throw error;
          const { code, message } = asError(error);
          // It went while the round was on its way to it.
          if (code !== 'ENOENT') this.#warnOnce(`${file.local} was not copied to the share: ${message}`);
        }
      }
    } finally {
      if (moved.files > 0) await ledger.save();
    }
    return moved;
  }

  async #resync(signal: AbortSignal): Promise<void> {
    const { ledger, note } = this.#tools;
    const { copied, gone } = await resync(this.#tools, signal);
    ledger.isStale = false;
    await ledger.save();
    if (copied > 0)
      note(
        'warning',
        `the share had lost ${counted(copied, 'image')} copied to it before: ${copied === 1 ? 'it is' : 'they are'} there again`,
      );
    if (gone === 0) return;
    note(
      'warning',
      `the share has lost ${counted(gone, 'image that is', 'images that are')} not here any more either: is it an old copy of itself?`,
    );
  }

  #warnOnce(message: string): void {
    const { noted } = this.#memory;
    if (noted.has(message)) return;
    if (noted.size < maxNoted) noted.add(message);
    this.#tools.note('warning', message);
  }
}
