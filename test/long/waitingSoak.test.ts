import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';
import { waitingSoak } from '../manifest/waitingSoak.ts';

/** At 10 frames a second the next one comes after so long, ms. */
const frameMs = 100;

test('500,000 images that wait for the share: flat cost, bounded memory, and the event loop is never held up for a frame', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-waiting-'));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let peak = 0;
  let batches = 0;
  const memories: number[] = [];
  try {
    const before = process.memoryUsage().rss;
    delay.enable();
    const soak = await waitingSoak(nodeFiles, {
      count: 500_000,
      liveEntries: 5_000,
      file: join(folder, 'metadata_manifest.json'),
      each: () => {
        if (batches++ % 1000 !== 0) return;
        const { rss } = process.memoryUsage();
        peak = Math.max(peak, rss);
        memories.push(Math.round((rss - before) / 1e6));
      },
    });
    delay.disable();
    const costs = (list: typeof soak.away): string =>
      list.map(({ written, read }) => `${written.toFixed(0)}+${read.toFixed(0)}`).join(' ');
    process.stderr.write(
      `written + read bytes an image, by tenths: away ${costs(soak.away)}; copying ${costs(soak.copying)}\n` +
        `live at most ${soak.mostLive}; memory ${((peak - before) / 1e6).toFixed(0)} MB more (${memories.join(' ')}); ` +
        `loop held up ${(delay.max / 1e6).toFixed(0)} ms at most, ${(delay.percentile(99.9) / 1e6).toFixed(1)} ms in 99.9 %\n`,
    );
    expect(soak).toMatchObject({ copied: 500_000, inOrder: true, left: 0 });
    expect(soak.mostLive).toBeLessThan(7_500);
    for (const list of [soak.away, soak.copying]) expect(list[8]!.written).toBeLessThan(1.2 * list[1]!.written);
    expect(delay.max / 1e6).toBeLessThan(frameMs);
    expect(peak - before).toBeLessThan(400e6);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
