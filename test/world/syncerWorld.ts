import type { Files } from '../../src/files/files.ts';
import { archiveFolder } from '../../src/manifest/archive.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import { type SyncExperiment, type SyncSettings, syncer } from '../../src/operators/syncer/syncer.ts';
import type { Share, Shares } from '../../src/share/share.ts';
import type { ShareCall } from '../../src/share/shareCalls.ts';
import { errorOf, failureOf } from '../../src/share/shareError.ts';
import { type ShareOperations, shareOperations } from '../../src/share/shareOperations.ts';
import { createThrottle } from '../../src/share/throttle.ts';
import { FaultyFiles, Stopped } from './faultyFiles.ts';
import { brightfieldFolder, dataFolder } from './pipelineWorld.ts';
import { identity, manifestFile, sampleEntry, sampleOptions } from './sampleManifest.ts';

export const remoteRoot = '/share/phorest';
export const day = `${dataFolder}/20250724`;

export const syncSettings: SyncSettings = {
  enabled: true,
  remoteRoot,
  dataFolder,
  brightfieldFolder,
  flagsFolder: '/root/flags',
  places: [
    { local: manifestFile, remote: 'data/metadata_manifest.json' },
    { local: '/root/results', remote: 'results' },
    { local: archiveFolder(manifestFile), remote: 'data/metadata_manifest_archive' },
  ],
  intervalMs: 10_000,
  filesInFlight: 2,
  bytesPerSecond: 0,
  deadlineMs: 60_000,
  trustWrite: false,
};

/** Every entry must be copied. */
export const syncRules = { compression: false, sync: true };

export const imageOf = (id: string): Buffer => Buffer.from(`pixels of ${id} `.repeat(20));

/** The child's own operations in this process, on any files. */
export function operationsHere(root: string, local: Files, share: Files, trustWrite = false): ShareOperations {
  const throttle = createThrottle(0, { now: () => 0, wait: async () => undefined });
  return shareOperations({ root, local, share, throttle, trustWrite, now: () => 0 });
}

/**
 * The syncer of one process, with a share that is in this process too: the child's own operations on files in memory, with
 * what goes wrong as a test says.
 */
export class SyncerWorld {
  readonly files: FaultyFiles;
  readonly manifest: Manifest;
  open = 0;
  maxOpen = 0;
  readonly notes: string[] = [];
  readonly calls: string[] = [];
  /** Before and after each call to the share. */
  onCall: (call: ShareCall, request: unknown) => Promise<unknown> = async () => undefined;
  onCalled: (call: ShareCall, answer: unknown) => Promise<unknown> = async () => undefined;

  private constructor(files: FaultyFiles, manifest: Manifest) {
    this.files = files;
    this.manifest = manifest;
  }

  /** @param dead processes that are gone. */
  static async on(
    files = new FaultyFiles(),
    { pid = 1, dead = [] }: { pid?: number; dead?: readonly number[] } = {},
  ): Promise<SyncerWorld> {
    for (const folder of ['/root/flags', '/root/data', '/share']) await files.makeFolder(folder);
    const manifest = await Manifest.open(
      sampleOptions(files, {
        clock: { now: () => Date.now(), monotonic: () => Date.now() },
        own: identity(pid),
        liveness: ({ pid: other }) => (dead.includes(other) ? 'gone' : 'alive'),
        rules: () => syncRules,
        isSettled: entry => isSettled(entry, syncRules),
      }),
    );
    return new SyncerWorld(files, manifest);
  }

  stage(tools: Tools & StageFlow) {
    return runStage(syncer, { ...this.deps, tools }, tools);
  }

  get deps(): Omit<SyncExperiment, 'tools'> {
    const { manifest, files } = this;
    return {
      queue: manifest,
      archive: manifest.archive,
      files,
      shares: this.#shares,
      note: (_level, message) => this.notes.push(message),
    };
  }

  /** Entries that are analysed and reported, with their images. */
  async offer(...ids: string[]): Promise<void> {
    for (const id of ids) this.files.put(`${day}/image_${id}.png`, imageOf(id));
    await this.manifest.offer(
      ids.map(id => sampleEntry(id, { processing_status: 'processed', data_transmitted: true })),
    );
  }

  get(id: string): Entry {
    return this.manifest.get(id)!;
  }

  synced(): string[] {
    return [...this.manifest.entries()].filter(entry => entry.image_synced).map(entry => entry.entry_id);
  }

  claimed(): string[] {
    return [...this.manifest.entries()].filter(entry => entry.claims.syncer).map(entry => entry.entry_id);
  }

  /** What stands on the share, without the marker. */
  onShare(): string[] {
    return this.files
      .paths()
      .filter(path => path.startsWith(`${remoteRoot}/`) && !path.endsWith('.phorest_share.json'))
      .map(path => path.slice(remoteRoot.length + 1));
  }

  copy(remote: string): string | null {
    return this.files.content(`${remoteRoot}/${remote}`)?.toString() ?? null;
  }

  get #shares(): Shares {
    return {
      abandoned: 0,
      open: ({ root, trustWrite }) => {
        this.maxOpen = Math.max(this.maxOpen, ++this.open);
        return this.#share(operationsHere(root, this.files, this.files, trustWrite));
      },
    };
  }

  #share(operations: ShareOperations): Share {
    return {
      call: async (call, request, signal) => {
        signal.throwIfAborted();
        this.calls.push(call);
        const { promise: left, reject } = Promise.withResolvers<never>();
        left.catch(() => undefined);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        const perform = operations[call] as (request: unknown, tell: () => void) => Promise<never>;
        const work = async (): Promise<never> => {
          await this.onCall(call, request);
          try {
            const answer = await perform(request, () => undefined);
            await this.onCalled(call, answer);
            return answer;
          } catch (error) {
            if (error instanceof Stopped) throw error;
            throw errorOf(failureOf(error));
          }
        };
        const working = work();
        working.catch(() => undefined);
        return Promise.race([working, left]);
      },
      close: async () => {
        this.open--;
      },
    };
  }
}
