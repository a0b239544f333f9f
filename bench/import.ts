/** What it costs to list and order a folder of 20,000 images by their metadata, against reading the names alone. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { systemClock } from '../src/model/clock.ts';
import { openImageFolder } from '../src/streams/folder/imageFolderSource.ts';
import type { BenchRow } from './benchRow.ts';

const images = 20_000;
const rounds = 5;

const nameOf = (i: number): string => `img_${String(i).padStart(9, '0')}_Default_000.tif`;

/** Blocks as long as Micro-Manager writes them for a microscope with its devices. */
async function writeMetadata(path: string): Promise<void> {
  const devices = Array.from({ length: 40 }, (_, k) => `    "Core-Device-${k}": "some value ${k}",\n`).join('');
  const file = createWriteStream(path);
  file.write('{\n  "Summary": {\n    "StartTime": "2025-08-12 13:45:00 +0100"\n  }');
  for (let i = 0; i < images; i++) {
    const block = `,\n  "FrameKey-${i}-0-0": {\n${devices}    "FileName": "${nameOf(i)}",\n    "ElapsedTime-ms": ${i * 193.94}\n  }`;
    if (!file.write(block)) await once(file, 'drain');
  }
  file.end('\n}\n');
  await finished(file);
}

async function fastest(work: () => Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const count = await work();
    if (count < images) throw new Error(`import bench: ${count} of ${images} images`);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** `import.20k`: milliseconds until all frames of the folder are delivered; the ratio is to a plain `readdir` of it. */
export async function importBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-import-bench-'));
  try {
    for (let i = 0; i < images; i += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, k) => writeFile(join(folder, nameOf(i + k)), '')));
    }
    await writeMetadata(join(folder, 'metadata.txt'));
    const { signal } = new AbortController();
    const value = await fastest(async () => {
      const source = await openImageFolder({ folder }, { clock: systemClock, note: () => {} });
      let count = 0;
      while (await source.next(signal)) count++;
      await source.close();
      return count;
    });
    const against = await fastest(async () => (await readdir(folder)).length);
    return [{ name: 'import.20k', value, unit: 'ms', against: 'readdir', ratio: value / against }];
  } finally {
    await rm(folder, { recursive: true });
  }
}
