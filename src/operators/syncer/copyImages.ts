import { asError } from '../../model/asError.ts';
import type { Entry } from '../../model/entry.ts';
import type { RemoteCopy } from '../../model/remoteCopy.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Outcome } from '../stage/stage.ts';
import { isFilesOwn, type PlaceImageTools, placeImage } from './placeImage.ts';

export type CopyImagesTools = PlaceImageTools & Pick<Experiment, 'queue' | 'note'>;

/** Entries whose failure is not told again. */
const maxReported = 1000;

/** Loop one: places the image of a claimed entry on the share, and settles the entry. */
export class CopyImages {
  readonly #tools: CopyImagesTools;
  /** Entries whose failure was told. */
  readonly #reported: Set<string>;
  /** Entries that can't be copied for now. They stay claimed, so as not to stand in the way. */
  readonly #held = new Set<Entry>();

  /** @param reported entries whose failure the worker before has reported. */
  constructor(tools: CopyImagesTools, reported: Set<string>) {
    this.#tools = tools;
    this.#reported = reported;
  }

  /**
   * @param signal once it is aborted nothing is settled.
   * @param given how long it may take.
   */
  async copy(entry: Entry, signal: AbortSignal, given: AbortSignal): Promise<readonly Outcome[]> {
    const { queue, note } = this.#tools;
    const { entry_id: entryId } = entry;
    const deadly = queue.deadlyWork(entry, 'syncer');
    if (deadly !== null) return this.#failed(entry, deadly);
    try {
      const { remote: path, size, sha256, sent, found } = await placeImage(entry, this.#tools, given);
      if (signal.aborted) return [];
      const copy: RemoteCopy = { path, size, sha256 };
      await queue.settle([entry], 'syncer', { image_synced: true, remote_copy: copy });
      this.#reported.delete(entryId);
      const image = entry.camera_data!.filename;
      if (found === 'other') {
        note('warning', `${image} stands on the share with other content; this one is beside it: ${path}`);
      }
      return [{ kind: 'done', entryId, detail: { image, bytes: size, sent } }];
    } catch (error) {
      if (given.aborted || !isFilesOwn(error)) throw error;
      return this.#failed(entry, asError(error).message);
    }
  }

  /** What has failed may be tried again. */
  async releaseFailed(): Promise<void> {
    const entries = [...this.#held];
    this.#held.clear();
    if (entries.length > 0) await this.#tools.queue.releaseEventually(entries, 'syncer');
  }

  /** Told as a failure once; what fails again at each round is only left out. */
  #failed(entry: Entry, error: string): readonly Outcome[] {
    this.#held.add(entry);
    const { entry_id: entryId, camera_data: camera } = entry;
    if (this.#reported.has(entryId))
      return [{ kind: 'discarded', entryId, reason: `not copied to the share: ${error}` }];
    if (this.#reported.size < maxReported) this.#reported.add(entryId);
    return [{ kind: 'failed', entryId, error: `${camera?.filename} was not copied to the share: ${error}` }];
  }
}
