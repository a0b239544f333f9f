import { isRemoved } from '../manifest/workRules.ts';
import type { Entry } from '../model/entry.ts';
import { counted } from '../model/quantity.ts';
import { copyOf, hasWrongCopy, type RemoteCopy } from '../model/remoteCopy.ts';
import type { Share } from '../share/share.ts';
import type { InspectedShare, Inspection } from './inspection.ts';

/** Copies that are asked for in one call. */
const batchCopies = 256;

/**
 * Finds the share, by its marker. One that is not there, or does not answer, is a note and nothing wrong: the experiment does not
 * depend on it. Nothing is written to it.
 *
 * @returns null where there is nothing to look at.
 */
export async function openShareCheck(inspection: Inspection): Promise<ShareCheck | null> {
  const { share: given } = inspection.options;
  if (given === null) return null;
  if (given.known === null) {
    inspection.note(`${given.root} was not looked at: nothing was ever copied to it`);
    return null;
  }
  const share = given.open();
  const check = new ShareCheck(inspection, given.known, share);
  await check.ask(() => share.call('enter', { known: given.known!.id, fresh: '' }, never));
  return check;
}

/** Nobody cuts this short but the end of the program: a share that hangs is given up after its own deadline. */
const never = new AbortController().signal;

/** Holds entries against their copies on the share. It outlives the share: from then on it only looks at what entries say. */
export class ShareCheck {
  readonly #inspection: Inspection;
  readonly #known: NonNullable<InspectedShare['known']>;
  readonly #share: Share;
  #isThere = true;
  /** Images that an earlier version removed here without a copy: it did not say whether one had to be there. */
  #unexplained = 0;
  #batch: { entry: Entry; copy: RemoteCopy }[] = [];

  constructor(inspection: Inspection, known: NonNullable<InspectedShare['known']>, share: Share) {
    this.#inspection = inspection;
    this.#known = known;
    this.#share = share;
  }

  async add(entry: Entry): Promise<void> {
    const copy = entry.image_synced ? copyOf(entry) : null;
    // What the Python system has copied has other words for it, and is not looked at.
    if (hasWrongCopy(entry) || (entry.image_synced && copy === null && this.#isSinceUse(entry)))
      this.#reportNone(entry);
    if (!entry.image_synced && isRemoved(entry)) {
      const { paths } = this.#inspection.options;
      const message = 'its image was removed here because a copy was on the share, and the manifest knows of none';
      if (entry.copy_required === true)
        this.#inspection.report('unsynced_removed', paths.manifestFile, message, entry.entry_id);
      else if (entry.copy_required === undefined && this.#isSinceUse(entry)) this.#unexplained++;
    }
    if (copy === null || !this.#isThere) return;
    this.#batch.push({ entry, copy });
    if (this.#batch.length === batchCopies) await this.finish();
  }

  /** Looks for what was added. */
  async finish(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0 || !this.#isThere) return;
    const paths = batch.map(({ copy }) => copy.path);
    const stats = await this.ask(() => this.#share.call('stats', paths, never));
    if (stats === null) return;
    for (const [i, { entry, copy }] of batch.entries()) {
      this.#inspection.tally.copies++;
      const size = stats[i]?.size ?? null;
      if (size === null) this.#report(entry, copy, 'is not there');
      else if (size === 0) this.#report(entry, copy, 'has 0 bytes');
      else if (size !== copy.size) this.#report(entry, copy, `has ${size} bytes; ${copy.size} were copied`);
      else await this.#read(entry, copy);
    }
  }

  close(): Promise<void> {
    const count = this.#unexplained;
    if (count > 0)
      this.#inspection.note(
        `${counted(count, 'image was', 'images were')} removed here without a copy on the share, by a version that did not say whether sync was off then`,
      );
    return this.#share.close();
  }

  /** Null when the share does not give what it is asked: that is noted, and it is asked no more. */
  async ask<T>(question: () => Promise<T>): Promise<T | null> {
    if (!this.#isThere) return null;
    try {
      return await question();
    } catch (error) {
      this.#isThere = false;
      this.#inspection.note(`the copies on the share were not looked at: ${(error as Error).message}`);
      return null;
    }
  }

  async #read(entry: Entry, copy: RemoteCopy): Promise<void> {
    if (!this.#inspection.options.decode) return;
    const digest = await this.ask(() => this.#share.call('digest', { remote: copy.path }, never));
    if (digest && digest.sha256 !== copy.sha256) this.#report(entry, copy, 'has another SHA-256 than what was copied');
  }

  #report(entry: Entry, { path }: RemoteCopy, what: string): void {
    const { share } = this.#inspection.options;
    const file = `${share!.root}/${path}`;
    const id = entry.entry_id;
    if (isRemoved(entry)) this.#inspection.report('lost_image', file, `the only copy of the image ${what}`, id);
    else this.#inspection.report(what === 'is not there' ? 'missing_copy' : 'wrong_copy', file, `the copy ${what}`, id);
  }

  /** A hand has been at it: nobody knows where its copy is, if there is one. */
  #reportNone(entry: Entry): void {
    const { manifestFile } = this.#inspection.options.paths;
    const said = entry.remote_copy === undefined ? 'there is none' : shown(entry.remote_copy);
    const message = `the entry says that its image was copied, and its remote_copy is not a copy of that image: ${said}`;
    this.#inspection.report(isRemoved(entry) ? 'lost_image' : 'unknown_copy', manifestFile, message, entry.entry_id);
  }

  /** It was taken after the share had come into use. */
  #isSinceUse({ camera_data: camera, timestamp_utc: taken }: Entry): boolean {
    return camera !== null && taken !== null && Date.parse(taken) > this.#known.firstUsed;
  }
}

const maxShown = 120;

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
