import { BehaviorSubject, defer, finalize, type Observable } from 'rxjs';
import { parseAmount } from '../../src/config/kinds/amount.ts';
import type { DiskSpace } from '../../src/files/diskSpace.ts';
import type { WorkRules } from '../../src/manifest/workRules.ts';
import type { Entry } from '../../src/model/entry.ts';
import {
  type RingBufferExperiment,
  type RingBufferSettings,
  ringBuffer,
} from '../../src/operators/ringBuffer/ringBuffer.ts';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import type { Shares } from '../../src/share/share.ts';
import { exclusiveHere } from './exclusiveHere.ts';
import { dataFolder, type PipelineWorld } from './pipelineWorld.ts';
import { sampleEntry } from './sampleManifest.ts';

export const day = `${dataFolder}/20250724`;
export const imageOf = (id: string): string => `${day}/image_${id}.png`;

export const ringBufferSettings: RingBufferSettings = {
  size: 1,
  minFree: parseAmount('0 GB')!,
  rules: { compression: false, sync: false },
  dataFolder,
  remoteRoot: '/share',
};

/** The ring buffer on a disk of which a test says how full it is. */
export class RingBufferFixture {
  readonly world: PipelineWorld;
  readonly space$ = new BehaviorSubject<DiskSpace | null>({ free: 1e9, size: 1e10 });
  readonly notes: string[] = [];
  /** Sizes of the copies on the share by their path; null: the share is away. Absent: nobody looks at it. */
  copies: Record<string, number> | null | undefined;
  readonly waitingImage = { bytes: 0 };
  /** Subscriptions of its stations to the space. */
  open = 0;
  mostOpen = 0;
  /** Bytes that were free besides what images took; null: `space$` alone says. */
  freeWithoutImages: number | null = null;

  constructor(world: PipelineWorld) {
    this.world = world;
  }

  get #shares(): Shares {
    const stats = async (paths: readonly string[]) => {
      if (!this.copies) throw new Error('the share is away');
      return paths.map(path => (path in this.copies! ? { size: this.copies![path], mtimeMs: 0 } : null));
    };
    const share = { call: (_call: string, paths: readonly string[]) => stats(paths), close: async () => undefined };
    return { open: () => share } as unknown as Shares;
  }

  stage(tools: Tools & StageFlow) {
    return runStage(ringBuffer, { ...this.deps, tools }, tools);
  }

  get deps(): Omit<RingBufferExperiment, 'tools'> {
    const { manifest, files } = this.world;
    const watched$: Observable<DiskSpace | null> = defer(() => {
      this.mostOpen = Math.max(this.mostOpen, ++this.open);
      return this.space$.pipe(finalize(() => this.open--));
    });
    return {
      manifest,
      files,
      measureSpace: async () => {
        if (this.freeWithoutImages === null) return this.space$.value;
        const taken = this.images().reduce((sum, path) => sum + files.content(path)!.length, 0);
        return { free: this.freeWithoutImages - taken, size: this.space$.value!.size };
      },
      space$: watched$,
      waitingImage: this.waitingImage,
      restoring: exclusiveHere(),
      ...(this.copies !== undefined && { shares: this.#shares }),
      note: (_level, message) => this.notes.push(message),
    };
  }

  /** Entries that are settled, with their images. */
  async offerSettled(ids: readonly string[], set: Partial<Entry> = {}, bytes = 6): Promise<void> {
    for (const id of ids) this.world.files.put(imageOf(id), Buffer.alloc(bytes));
    await this.world.manifest.offer(
      ids.map(id => sampleEntry(id, { processing_status: 'processed', data_transmitted: true, ...set })),
    );
  }

  images(): string[] {
    return this.world.files.paths().filter(path => path.startsWith(day) && path.endsWith('.png'));
  }

  /** Ids of the entries that say their image is gone. */
  removed(): string[] {
    return this.world.ids(entry => entry.image_local === false);
  }
}

export const rules = (set: Partial<WorkRules>): WorkRules => ({ compression: false, sync: false, ...set });
