import { basename } from 'node:path';
import type { Files } from '../../files/files.ts';
import { archiveFolder } from '../../manifest/archive.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { asError } from '../../model/asError.ts';
import { counted } from '../../model/quantity.ts';
import { safeName } from '../../share/sharePath.ts';
import type { Tools } from '../stage/experiment.ts';
import type { SyncPlace } from './syncFiles.ts';
import { type Healing, newestStand, syncHeal } from './syncHeal.ts';
import type { SyncLedger } from './syncLedger.ts';
import { type RoundTally, type SyncRound, syncRound } from './syncRound.ts';

/** The manifest is published for its copy at most so often, ms. */
const foldEveryMs = 60_000;
/** Every copy of a file that never changes is looked at so often, ms, and in the first round with a share. */
const fullEveryMs = 3_600_000;
/** Messages that are not said again. */
const mostNoted = 1000;

export interface SyncRoundsDeps {
  tools: Pick<Tools, 'clock'>;
  manifest: Manifest;
  files: Files;
  note: (level: 'info' | 'warning', message: string) => void;
}

/** What a round is made with, of what belongs to a station. */
type Round = Omit<SyncRound, 'files' | 'note' | 'isFull'> & Omit<Healing, 'manifest' | 'files'>;

/** What a round copies besides the images: the manifest first, its archive last. */
export function roundPlaces(settings: { manifestFile: string; dataFolder: string; places: readonly SyncPlace[] }) {
  const { manifestFile, dataFolder, places } = settings;
  const data = safeName(basename(dataFolder));
  const archive = archiveFolder(manifestFile);
  return [
    { local: manifestFile, remote: `${data}/${basename(manifestFile)}` },
    ...places,
    { local: archive, remote: `${data}/${basename(archive)}` },
  ];
}

/**
 * The rounds of the syncer: each publishes the manifest, brings all copies but the images up to date, and copies images again
 * that the share has lost. It outlives stations, so that nothing is said twice. Rejects with the share's failures, and with the
 * reason of the round's signal.
 */
export class SyncRounds {
  readonly #deps: SyncRoundsDeps;
  readonly #noted = new Set<string>();
  #publishedAt = Number.NEGATIVE_INFINITY;
  /** When every copy was looked at last, and by which ledger. */
  #full: { at: number; ledger: SyncLedger } | null = null;

  constructor(deps: SyncRoundsDeps) {
    this.#deps = deps;
  }

  /** The next round publishes the manifest, however short ago that was. */
  publishNext(): void {
    this.#publishedAt = Number.NEGATIVE_INFINITY;
  }

  async run(round: Round): Promise<RoundTally> {
    const { manifest, files, tools } = this.#deps;
    await this.#publish();
    const { ledger, share, signal } = round;
    const now = tools.clock.monotonic();
    const isFull = ledger.isStale || this.#full?.ledger !== ledger || now - this.#full.at >= fullEveryMs;
    const note: SyncRound['note'] = (level, message) => this.#noteOnce(level, message);
    const tally = await syncRound({ ...round, files, isFull, note });
    if (isFull) this.#full = { at: now, ledger };
    if (!ledger.isStale) ledger.isStale = !(await newestStand({ manifest, share, signal }));
    if (ledger.isStale) await this.#heal(round);
    return tally;
  }

  /** Writes the manifest's file anew, so that its copy tells the present state. */
  async #publish(): Promise<void> {
    const { manifest, tools, note } = this.#deps;
    const now = tools.clock.monotonic();
    if (now - this.#publishedAt < foldEveryMs) return;
    this.#publishedAt = now;
    try {
      await manifest.fold();
    } catch (error) {
      note('warning', `the manifest is copied as it was published last: ${asError(error).message}`);
    }
  }

  async #heal(round: Round): Promise<void> {
    const { manifest, files, note } = this.#deps;
    const { copied, gone } = await syncHeal({ ...round, manifest, files });
    round.ledger.isStale = false;
    await round.ledger.save();
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

  #noteOnce(level: 'info' | 'warning', message: string): void {
    if (this.#noted.has(message)) return;
    if (this.#noted.size < mostNoted) this.#noted.add(message);
    this.#deps.note(level, message);
  }
}
