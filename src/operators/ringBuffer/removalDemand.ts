import type { Amount } from '../../config/kinds/amount.ts';
import type { DiskSpace } from '../../files/diskSpace.ts';
import type { WorkRules } from '../../manifest/workRules.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { ArchivedImages } from './archivedImages.ts';
import { namesLimits, type SpaceLimits, spaceLimits } from './spaceLimits.ts';

export interface RemovalLimits {
  /** `image_buffer_size`: images that are kept; 0 keeps all. */
  size: number;
  /** `min_free_disk`; 0 bytes, or `size` 0 without copies on a share: nothing is deleted for want of space. */
  minFree: Amount;
  /** What an image must have passed before it may go. The manifest has the same; here, so that a change is seen. */
  rules: WorkRules;
}

/** Whether images are removed for want of space at all. Who keeps all, and has no copies, does not want to lose any. */
export function isForSpace({ minFree, size, rules }: RemovalLimits): boolean {
  if (size === 0 && !rules.sync) return false;
  return minFree.kind === 'bytes' ? minFree.bytes > 0 : minFree.percent > 0;
}

/** How many images should go: those beyond the number that is kept, and those whose room is wanted on the disk. */
export class RemovalDemand {
  readonly #limits: RemovalLimits;
  readonly #archived: ArchivedImages;
  readonly #deps: Pick<Experiment, 'queue' | 'measureSpace' | 'waitingImage'>;
  /** Since less than `low` was free, until `enough` is. */
  #isFreeing = false;
  /** The same for the names of files. */
  #isFreeingNames = false;
  /** Of those that were removed, so that about as many go as it takes. */
  #meanBytes = 0;

  constructor(
    limits: RemovalLimits,
    archived: ArchivedImages,
    deps: Pick<Experiment, 'queue' | 'measureSpace' | 'waitingImage'>,
  ) {
    this.#limits = limits;
    this.#archived = archived;
    this.#deps = deps;
  }

  /** Whether there are more images than are kept, and some of them may go. */
  hasTooMany(): boolean {
    const { size } = this.#limits;
    const { queue } = this.#deps;
    const archived = this.#archived;
    if (size === 0) return false;
    if (archived.isBehind) return true;
    const mayGo = queue.waiting('ring_buffer') > 0 || archived.mayHaveMore;
    return mayGo && queue.localImages + archived.count > size;
  }

  /** Whether images should go for this disk. */
  isShort(space: DiskSpace | null): boolean {
    if (space === null || !isForSpace(this.#limits)) return false;
    return space.free < this.#spaceLimits(space).low || namesShort(space, 'low') > 0;
  }

  /** How many should go now; not more than 0: none. */
  async wanted(): Promise<number> {
    const { size } = this.#limits;
    const space = isForSpace(this.#limits) ? await this.#deps.measureSpace() : null;
    const forSpace = space === null ? 0 : this.#wantedFor(space);
    if (size === 0) return forSpace;
    await this.#archived.refresh();
    return Math.max(forSpace, this.#deps.queue.localImages + this.#archived.count - size);
  }

  /** An image was removed. @param bytes its length; 0: it was gone already */
  removed(bytes: number): void {
    if (bytes > 0) this.#meanBytes = this.#meanBytes === 0 ? bytes : this.#meanBytes + (bytes - this.#meanBytes) / 8;
  }

  #wantedFor(space: DiskSpace): number {
    const { low, enough } = this.#spaceLimits(space);
    this.#isFreeing = space.free < (this.#isFreeing ? enough : low);
    const forNames = namesShort(space, this.#isFreeingNames ? 'enough' : 'low');
    this.#isFreeingNames = forNames > 0;
    if (!this.#isFreeing) return Math.max(0, forNames);
    return Math.max(this.#meanBytes > 0 ? Math.ceil((enough - space.free) / this.#meanBytes) : 1, forNames);
  }

  #spaceLimits({ size: bytes }: DiskSpace): SpaceLimits {
    return spaceLimits(this.#limits.minFree, bytes, this.#deps.waitingImage.bytes);
  }
}

/** How many names of files are missing until so many are free; not more than 0: none. */
function namesShort({ names }: DiskSpace, limit: 'low' | 'enough'): number {
  return names === undefined ? 0 : namesLimits(names.size)[limit] - names.free;
}
