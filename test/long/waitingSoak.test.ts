import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';
import { waitingSoak } from '../manifest/waitingSoak.ts';

/** At 10 frames a second the next one comes after so long, ms. */
const frameMs = 100;

/** The longest time that the main thread computed without a look at what is due, ms: that of the thread, whatever else the machine does. */
function watchLoop(): { stop: () => void; longest: () => number } {
  let longest = 0;
  let before = process.threadCpuUsage();
  let isOver = false;
  const tick = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
    before = process.threadCpuUsage();
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  return {
    longest: () => longest,
    stop: () => {
      isOver = true;
    },
  };
}

/** Fewer for a quick look. */
const count = Number(process.env.SOAK_ENTRIES ?? 500_000);

test('500,000 images that wait for the share: flat cost, bounded memory, and the event loop is never held up for a frame', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-waiting-'));
  let peak = 0;
  let batches = 0;
  const memories: number[] = [];
  try {
    const before = process.memoryUsage().rss;
    const loop = watchLoop();
    const soak = await waitingSoak(nodeFiles, {
      count,
      batch: 50,
      liveEntries: 5_000,
      file: join(folder, 'metadata_manifest.json'),
      each: () => {
        if (batches++ % 500 !== 0) return;
        const { rss } = process.memoryUsage();
        peak = Math.max(peak, rss);
        memories.push(Math.round((rss - before) / 1e6));
      },
    });
    loop.stop();
    const costs = (list: typeof soak.away): string =>
      list.map(({ written, read }) => `${written.toFixed(0)}+${read.toFixed(0)}`).join(' ');
    process.stderr.write(
      `written + read bytes an image, by tenths: away ${costs(soak.away)}; copying ${costs(soak.copying)}\n` +
        `live at most ${soak.maxLive}; memory ${((peak - before) / 1e6).toFixed(0)} MB more (${memories.join(' ')}); ` +
        `the loop was held up for ${loop.longest().toFixed(0)} ms at most\n`,
    );
    expect(soak).toMatchObject({ copied: count, inOrder: true, left: 0 });
    expect(soak.maxLive).toBeLessThan(7_500);
    for (const list of [soak.away, soak.copying]) expect(list[8]!.written).toBeLessThan(1.2 * list[1]!.written);
    expect(loop.longest()).toBeLessThan(frameMs);
    expect(peak - before).toBeLessThan(400e6);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
