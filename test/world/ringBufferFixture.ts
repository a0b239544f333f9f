import { BehaviorSubject, defer, finalize, type Observable } from 'rxjs';
import { parseAmount } from '../../src/config/kinds/amount.ts';
import type { DiskSpace } from '../../src/files/diskSpace.ts';
import type { WorkRules } from '../../src/manifest/workRules.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { RemoteCopy } from '../../src/model/remoteCopy.ts';
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
import { brightfieldFolder, dataFolder, type PipelineWorld } from './pipelineWorld.ts';
import { sampleEntry } from './sampleManifest.ts';
import { operationsHere } from './syncerWorld.ts';

export const day = `${dataFolder}/20250724`;
export const imageOf = (id: string): string => `${day}/image_${id}.png`;

const remoteRoot = '/share';

export const ringBufferSettings: RingBufferSettings = {
  size: 1,
  minFree: parseAmount('0 GB')!,
  rules: { compression: false, sync: false },
  dataFolder,
  brightfieldFolder,
  remoteRoot,
  flagsFolder: '/root/flags',
};

/** The ring buffer on a disk of which a test says how full it is. */
export class RingBufferFixture {
  readonly world: PipelineWorld;
  readonly space$ = new BehaviorSubject<DiskSpace | null>({ free: 1e9, size: 1e10 });
  readonly notes: string[] = [];
  /** Somebody looks at the share. */
  hasShare = false;
  openShares = 0;
  /** Resolves when the share answers. */
  answer: Promise<unknown> = Promise.resolve();
  readonly waitingImage = { bytes: 0 };
  /** Subscriptions of its workers to the space. */
  open = 0;
  maxOpen = 0;
  /** Bytes that were free besides what images took; null: `space$` alone says. */
  freeWithoutImages: number | null = null;

  /** Names of files that were free besides images; null: the disk does not count them. */
  namesWithoutImages: number | null = null;

  constructor(world: PipelineWorld) {
    this.world = world;
  }

  /** The share is there, or away. It was used before. */
  async mountShare(isThere: boolean): Promise<void> {
    const { files } = this.world;
    this.hasShare = true;
    files.put(
      '/root/flags/share.json',
      JSON.stringify({ shares: { [remoteRoot]: { share_id: 'id', first_used: '' } } }),
    );
    if (isThere) files.put(`${remoteRoot}/.phorest_share.json`, '{"share_id":"id"}');
    else if (files.content(`${remoteRoot}/.phorest_share.json`))
      await files.remove(`${remoteRoot}/.phorest_share.json`);
  }

  /** A copy on the share of so many bytes, as the entry should have it. */
  copy(id: string, bytes = 6): RemoteCopy {
    const path = `data/20250724/image_${id}.png`;
    this.world.files.put(`${remoteRoot}/${path}`, Buffer.alloc(bytes));
    return { path, size: 6, sha256: 'x' };
  }

  /** The child's own operations. */
  get #shares(): Shares {
    return {
      abandoned: 0,
      open: ({ root }) => {
        this.openShares++;
        const operations = operationsHere(root, this.world.files, this.world.files);
        return {
          call: async (call, request) => {
            await this.answer;
            return operations[call](request as never, () => undefined) as never;
          },
          close: async () => {
            this.openShares--;
          },
        };
      },
    };
  }

  stage(tools: Tools & StageFlow) {
    return runStage(ringBuffer, { ...this.deps, tools }, tools);
  }

  /** Held by who brings entries back from the archive. */
  readonly restoreLock = exclusiveHere();

  get deps(): Omit<RingBufferExperiment, 'tools'> {
    const { manifest, files } = this.world;
    const watched$: Observable<DiskSpace | null> = defer(() => {
      this.maxOpen = Math.max(this.maxOpen, ++this.open);
      return this.space$.pipe(finalize(() => this.open--));
    });
    return {
      queue: manifest,
      archive: manifest.archive,
      files,
      measureSpace: async () => {
        if (this.namesWithoutImages !== null)
          return { free: 9e5, size: 1e6, names: { free: this.namesWithoutImages - this.images().length, size: 200 } };
        if (this.freeWithoutImages === null) return this.space$.value;
        const taken = this.images().reduce((sum, path) => sum + files.content(path)!.length, 0);
        return { free: this.freeWithoutImages - taken, size: this.space$.value!.size };
      },
      space$: watched$,
      waitingImage: this.waitingImage,
      restoreLock: this.restoreLock,
      ...(this.hasShare && { shares: this.#shares }),
      note: (_level, message) => this.notes.push(message),
    };
  }

  /** Entries that are settled, with their images. */
  async offerSettled(ids: readonly string[], set: Partial<Entry> = {}, bytes = 6): Promise<void> {
    for (const id of ids) this.world.files.put(imageOf(id), Buffer.alloc(bytes));
    await this.world.manifest.offer(
      ids.map(id =>
        sampleEntry(id, {
          processing_status: 'processed',
          data_transmitted: true,
          ...(set.image_synced && { remote_copy: copyNamed(`image_${id}.png`) }),
          ...set,
        }),
      ),
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

/** What an entry says once its image was copied. */
export const copyNamed = (filename: string): RemoteCopy => ({
  path: `data/20250724/${filename}`,
  size: 6,
  sha256: 'x',
});

export const rules = (set: Partial<WorkRules>): WorkRules => ({ compression: false, sync: false, ...set });
