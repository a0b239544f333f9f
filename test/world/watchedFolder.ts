import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import type { Config } from '../../src/config/schema.ts';
import { type Files, nodeFiles } from '../../src/files/files.ts';
import { CallGate } from '../../src/files/filesWithDeadline.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { encodePng } from '../../src/image/encodeImage.ts';
import { systemClock } from '../../src/model/clock.ts';
import type { ImportedFrame } from '../../src/model/frame.ts';
import type { FrameSource } from '../../src/model/frameSource.ts';
import { openWatchFolder } from '../../src/streams/watchFolder/openWatchFolder.ts';
import type { WatchFolderDeps } from '../../src/streams/watchFolder/watchFolder.ts';

const width = 40;
const height = 30;

/** A PNG that has its number in every pixel pair. */
export function numberedImage(number: number): Promise<Buffer> {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i % 2 === 0 ? number & 0xff : number >> 8));
  return encodePng({ width, height, depth: 8, data });
}

export interface WatchedFolderOptions extends Partial<Config['Watch_Folder']> {
  files?: Files;
  deps?: Partial<WatchFolderDeps>;
}

/** A folder on a disk that is watched, and what has become of its images. */
export async function watchedFolder() {
  const root = await mkdtemp(join(tmpdir(), 'phorest-watched-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, 'incoming');
  const flags = join(root, 'flags');
  await mkdir(folder);
  const notes: string[] = [];
  /** Ids of what was taken in, as the manifest knows them. */
  const known = new Set<string>();
  const { signal } = new AbortController();

  const open = async ({ files = nodeFiles, deps, ...watch }: WatchedFolderOptions = {}): Promise<FrameSource> => {
    const source = await openWatchFolder(
      {
        folder,
        flags,
        watch: { ...defaultConfig().Watch_Folder, settle_seconds: 0.1, patience_seconds: 60, ...watch },
      },
      {
        clock: systemClock,
        files,
        gate: new CallGate(60_000),
        // Watchers tell, or nobody does.
        lookEveryMs: 3_600_000,
        note: ({ level, message }) => void notes.push(`${level}: ${message.replaceAll(root, '')}`),
        ...deps,
      },
    );
    onTestFinished(() => source.close());
    source.arrivals!.passOver(id => known.has(id));
    return source;
  };
  /** The next images, each taken in and read as soon as it is given: its name, and its number or why it has none. */
  const take = async (source: FrameSource, count: number): Promise<[name: string, number: number | string][]> => {
    const taken: [string, number | string][] = [];
    while (taken.length < count) {
      const frame = (await source.next(signal)) as ImportedFrame;
      known.add(frame.id!);
      const path = join(frame.folder, frame.filename);
      const number = await decodeFrame(path).then(
        ({ data }) => data[0]! + 256 * data[1]!,
        (error: Error) => error.message.replaceAll(root, ''),
      );
      taken.push([path.slice(folder.length + 1), number]);
    }
    return taken;
  };
  const save = async (name: string, number: number): Promise<void> =>
    writeFile(join(folder, name), await numberedImage(number));
  /** Another process saves these numbers' images; resolves when it has begun. */
  const writer = async (numbers: readonly number[], nameOf: (number: number) => string, ...words: string[]) => {
    const from = join(root, `of the writer ${numbers[0]}`);
    await mkdir(from);
    for (const number of numbers) await writeFile(join(from, nameOf(number)), await numberedImage(number));
    const script = join(import.meta.dirname, 'imageWriter.mjs');
    const child = spawn(process.execPath, [script, from, folder, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await new Promise(begun => child.stdout.once('data', begun));
    return child;
  };
  return { root, folder, flags, notes, known, signal, open, take, save, writer };
}
