import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { sampleOptions } from '../world/sampleManifest.ts';

/** As the Python system wrote it: indented by four, no ids; every thousandth image is still to do. */
function* pythonManifest(count: number): Generator<string> {
  for (let i = 0; i < count; i++) {
    const time = `${new Date(1_600_000_000_000 + i * 5_000).toISOString().slice(0, 23)}000`;
    const entry = {
      entry_timestamp_iso: time,
      collection_error: false,
      collection_error_msg: null,
      camera_data: {
        type: 'image',
        filename: `image_${i}.png`,
        filepath: '/home/phorest/data',
        timestamp_iso: time,
        camera_index: 0,
        error_flag: false,
        error_message: null,
      },
      temperature_data: null,
      processing_status: i % 1000 === 0 ? 'pending' : 'processed',
      processing_timestamp_iso: time,
      processing_error: false,
      processing_error_msg: null,
      compression_attempted: true,
      image_synced: true,
      data_transmitted: i % 1000 !== 0,
    };
    yield `${i === 0 ? '[\n' : ',\n'}${JSON.stringify(entry, null, 4).replaceAll(/^/gm, '    ')}`;
  }
  yield '\n]';
}

test.each([100_000, 1_000_000])(
  'a manifest of the Python system with %d images loads in bounded memory',
  async count => {
    const folder = await mkdtemp(join(tmpdir(), 'phorest-scale-'));
    const file = join(folder, 'metadata_manifest.json');
    const options = { ...sampleOptions(nodeFiles), file };
    try {
      await pipeline(Readable.from(pythonManifest(count)), createWriteStream(file));
      const { size } = await stat(file);
      let peak = 0;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().rss);
      }, 50);
      const before = process.memoryUsage().rss;
      const start = performance.now();
      const manifest = await Manifest.open(options);
      const firstMs = performance.now() - start;
      clearInterval(watch);
      expect(manifest.waiting('processor')).toBe(count / 1000);
      expect(manifest.size).toBeLessThan(12_000);
      let archived = 0;
      for await (const _entry of manifest.archive.entries()) archived++;
      expect(archived + manifest.size).toBe(count);
      await manifest.close({ compact: true });
      const again = performance.now();
      const second = await Manifest.open(options);
      const secondMs = performance.now() - again;
      await second.close({ compact: false });
      process.stderr.write(
        `${count} entries, ${(size / 1e6).toFixed(0)} MB: first opening ${(firstMs / 1000).toFixed(1)} s, ` +
          `${((peak - before) / 1e6).toFixed(0)} MB more memory; the next ${secondMs.toFixed(0)} ms\n`,
      );
      expect(peak - before).toBeLessThan(1.2e9);
      expect(secondMs).toBeLessThan(5_000);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
