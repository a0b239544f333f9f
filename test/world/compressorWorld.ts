import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Files } from '../../src/files/files.ts';
import { type FileCall, wrapFiles } from '../../src/files/wrapFiles.ts';
import { findImage } from '../../src/image/findImage.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { codecOf } from '../../src/model/compression.ts';
import type { Entry } from '../../src/model/entry.ts';
import {
  type CompressExperiment,
  type CompressSettings,
  compressor,
} from '../../src/operators/compressor/compressor.ts';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import { FaultyFiles, onClose } from './faultyFiles.ts';
import { brightfieldFolder, dataFolder } from './pipelineWorld.ts';
import { identity, sampleEntry, sampleOptions } from './sampleManifest.ts';

export const day = `${dataFolder}/20250724`;

export const compressSettings: CompressSettings = {
  enabled: true,
  method: 'gzip',
  level: 1,
  minSaving: 0.05,
  intervalMs: 3_600_000,
  dataFolder,
  brightfieldFolder,
};

/** Bytes that shrink, other ones for each id. */
export const softImage = (id: string): Buffer => Buffer.from(`image ${id} `.repeat(200));

let seed = 1;

/** Bytes that do not. */
export function hardImage(): Buffer {
  const bytes = Buffer.alloc(4000);
  for (let i = 0; i < bytes.length; i++) {
    seed = (seed * 48271) % 2147483647;
    bytes[i] = seed >> 8;
  }
  return bytes;
}

/** The compressor of one process on files in memory, with what goes wrong as a test says. */
export class CompressorWorld {
  readonly files: FaultyFiles;
  readonly manifest: Manifest;
  readonly notes: string[] = [];
  /** Temporary files being written now, and the most at one time. */
  open = 0;
  maxOpen = 0;
  /** Before a temporary file is made. */
  onWork: () => Promise<unknown> = async () => undefined;
  /** Before the stage opens. */
  onOpen: () => Promise<unknown> = async () => undefined;
  /** Before a file is read, or removed. */
  onRead: (path: string) => Promise<unknown> = async () => undefined;
  onRemove: (path: string) => Promise<unknown> = async () => undefined;

  private constructor(files: FaultyFiles, manifest: Manifest) {
    this.files = files;
    this.manifest = manifest;
  }

  /** @param dead processes that are gone. */
  static async on(
    files = new FaultyFiles(),
    { pid = 1, dead = [] }: { pid?: number; dead?: readonly number[] } = {},
  ): Promise<CompressorWorld> {
    if (files.paths().length === 0) files.put(`${day}/other.txt`, '');
    const manifest = await Manifest.open(
      sampleOptions(files, {
        clock: { now: () => Date.now(), monotonic: () => Date.now() },
        own: identity(pid),
        liveness: ({ pid: other }) => (dead.includes(other) ? 'gone' : 'alive'),
        rules: () => ({ compression: true, sync: false }),
      }),
    );
    return new CompressorWorld(files, manifest);
  }

  /** Analysed entries with images. */
  async offer(images: Readonly<Record<string, Buffer>>, set: Partial<Entry> = {}): Promise<void> {
    for (const [id, bytes] of Object.entries(images)) this.files.put(`${day}/${nameOf(id)}`, bytes);
    await this.manifest.offer(Object.keys(images).map(id => analysed(id, set)));
  }

  offerSoft(...ids: string[]): Promise<void> {
    return this.offer(Object.fromEntries(ids.map(id => [id, softImage(id)])));
  }

  stage(tools: Tools & StageFlow) {
    return runStage(compressor, { ...this.deps, tools }, tools);
  }

  get deps(): Omit<CompressExperiment, 'tools'> {
    return {
      queue: this.manifest,
      files: this.#watchedFiles(),
      isAlive: () => false,
      note: (_level, message) => this.notes.push(message),
    };
  }

  get(id: string): Entry {
    return this.manifest.get(id)!;
  }

  filename(id: string): string {
    return this.get(id).camera_data!.filename;
  }

  finished(): string[] {
    return this.#ids(entry => entry.compression_attempted);
  }

  claimed(): string[] {
    return this.#ids(({ claims }) => claims.compressor !== undefined);
  }

  #ids(isSo: (entry: Entry) => boolean): string[] {
    return [...this.manifest.entries()].filter(isSo).map(entry => entry.entry_id);
  }

  /** Names in the folder of images that belong to an image, sorted. */
  images(): string[] {
    const names = this.files.paths().flatMap(path => (path.startsWith(`${day}/`) ? [path.slice(day.length + 1)] : []));
    return names.filter(name => name !== 'other.txt');
  }

  /** The bytes of an entry's image, from the file that has its very name; null when there is none. */
  bytes(id: string): Buffer | null {
    const name = this.filename(id);
    const content = this.files.content(`${day}/${name}`);
    if (!content) return null;
    const codec = codecOf(name);
    return codec === null ? content : codec === 'gzip' ? gunzipSync(content) : zstdDecompressSync(content);
  }

  /** Where a reader finds the image of an entry that it knew earlier. */
  find(entry: Entry): Promise<string> {
    return findImage(entry.camera_data!, dataFolder, this.files);
  }

  #watchedFiles(): Files {
    const isWritten = ({ path, flags = 'r' }: FileCall): boolean => path.endsWith('.tmp') && flags.startsWith('w');
    return wrapFiles(
      this.files,
      async (call, run) => {
        if (call.name === 'open') await (isWritten(call) ? this.onWork() : this.onRead(call.path));
        if (call.name === 'stat' && call.path === dataFolder) await this.onOpen();
        if (call.name === 'remove') await this.onRemove(call.path);
        return run();
      },
      (file, call) => {
        if (!isWritten(call)) return file;
        this.maxOpen = Math.max(this.maxOpen, ++this.open);
        return onClose(file, () => this.open--);
      },
    );
  }
}

export const nameOf = (id: string): string => `image_${id}.tif`;

export function analysed(id: string, set: Partial<Entry> = {}): Entry {
  const { camera_data: camera, ...entry } = sampleEntry(id);
  return {
    ...entry,
    camera_data: { ...camera!, filename: nameOf(id) },
    processing_status: 'processed',
    data_transmitted: true,
    ...set,
  };
}
