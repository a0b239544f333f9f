import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CompressSettings } from '../../src/operators/compress.ts';
import { atEveryCrash, FaultyFiles, Stopped } from '../storage/faultyFiles.ts';
import { CompressBench, compressSettings, hardImage, softImage } from './compressBench.ts';
import { useStillTime } from './eventRun.ts';
import { StageRun } from './stageRun.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

const images = { A: softImage('A'), B: hardImage(), C: softImage('C') };
const ids = Object.keys(images) as (keyof typeof images)[];

/** Runs the stage until every image was attempted, and stops it. @param told takes what was said to be done. */
async function compressAll(files: FaultyFiles, told: Set<string>, pid: number): Promise<CompressBench> {
  const bench = await CompressBench.on(files, { pid, dead: pid === 1 ? [] : [1] });
  const run = new StageRun<CompressSettings>(compressSettings);
  run.start(bench.stage(run.tools));
  try {
    await run.until(
      () => files.stopped || (ids.every(id => bench.get(id).compression_attempted) && run.told.includes('running')),
    );
    if (!files.stopped) run.stop$.next();
    await run.until(() => files.stopped || run.complete);
    for (const event of run.events) if (event.kind === 'done') told.add(`${event.entryId} ${event.detail.image}`);
  } finally {
    run.unsubscribe();
    await run.putAway();
  }
  if (files.stopped) throw new Stopped();
  await bench.manifest.close({ fold: true });
  return bench;
}

/** What must be true at any instant: the name that the entry has is that of a whole file. */
function mustBeReadable(bench: CompressBench): void {
  for (const id of ids) expect(bench.bytes(id), `${id} as ${bench.filename(id)}`).toEqual(images[id]);
}

describe('a crash of the compressor', () => {
  it('at any step leaves every image readable under its name, and nothing twice once it has opened again', async () => {
    const start = new FaultyFiles();
    const before = await CompressBench.on(start);
    await before.offer(images);
    await before.manifest.close({ fold: true });
    const crashes = await atEveryCrash<Set<string>>({
      start,
      context: () => new Set(),
      work: async (files, told) => void (await compressAll(files, told, 1)),
      check: async (files, told) => {
        const found = await CompressBench.on(files, { pid: 2, dead: [1] });
        mustBeReadable(found);
        for (const id of ids) {
          const named = [...told].find(line => line.startsWith(`${id} `));
          if (named) expect(`${id} ${found.filename(id)}`).toBe(named);
        }
        const after = await compressAll(files, new Set(), 2);
        mustBeReadable(after);
        expect(after.images()).toEqual(['image_A.tif.gz', 'image_B.tif', 'image_C.tif.gz']);
        expect([after.claimed(), after.notes]).toEqual([[], []]);
      },
      prefixes: 3,
    });
    expect(crashes).toBeGreaterThan(300);
  }, 60_000);

  it('that comes as an error of the disk, at any step, is an alarm and mends itself', async () => {
    const start = new FaultyFiles();
    const before = await CompressBench.on(start);
    await before.offer(images);
    await before.manifest.close({ fold: true });
    const whole = start.afterCrash('kill');
    await compressAll(whole, new Set(), 1);
    const inFolder = whole.steps.filter(({ path }) => path.includes('20250724'));
    expect(inFolder.length).toBeGreaterThan(15);
    for (const { index } of inFolder) {
      for (const applied of [0, 1]) {
        const files = start.afterCrash('kill');
        files.plan = step => (step.index === index ? { error: 'EIO', applied } : null);
        const bench = await CompressBench.on(files);
        const run = new StageRun<CompressSettings>(compressSettings);
        run.start(bench.stage(run.tools));
        await run.until(() => ids.every(id => bench.get(id).compression_attempted), 500);
        await run.until(() => run.status('compressor').alarms.length === 0, 500);
        mustBeReadable(bench);
        run.unsubscribe();
        await run.putAway();
        expect(bench.images()).toEqual(['image_A.tif.gz', 'image_B.tif', 'image_C.tif.gz']);
        expect(run.count('failed')).toBe(0);
        // What was done again after an error is as durable as what went well at once.
        mustBeReadable(await CompressBench.on(files.afterCrash('lost'), { pid: 2, dead: [1] }));
      }
    }
  }, 60_000);
});
