import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CompressSettings } from '../../../src/operators/compressor/compressor.ts';
import { CompressorWorld, compressSettings } from '../../world/compressorWorld.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { StageRun } from '../../world/stageRun.ts';
import { compressAll, compressCrashWalk, ids, images, mustBeReadable } from './compressorCrashWalk.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

describe('a crash of the compressor', () => {
  it('at any step leaves every image readable under its name, and nothing twice once it has opened again', async () => {
    expect(await compressCrashWalk(3, ['A', 'B'])).toBeGreaterThan(200);
  });

  it('that comes as an error of the disk, at any step, is an alarm and mends itself', async () => {
    const start = new FaultyFiles();
    const before = await CompressorWorld.on(start);
    await before.offer(images);
    await before.manifest.close({ compact: true });
    const whole = start.afterCrash('kill');
    await compressAll(whole, new Set(), 1);
    const inFolder = whole.steps.filter(({ path }) => path.includes('20250724'));
    expect(inFolder.length).toBeGreaterThan(15);
    for (const { index } of inFolder) {
      for (const applied of [0, 1]) {
        const files = start.afterCrash('kill');
        files.plan = step => (step.index === index ? { error: 'EIO', applied } : null);
        const world = await CompressorWorld.on(files);
        const run = new StageRun<CompressSettings>(compressSettings);
        run.start(world.stage(run.tools));
        await run.until(() => ids.every(id => world.get(id).compression_attempted), 500);
        await run.until(() => run.status('compressor').alarms.length === 0, 500);
        mustBeReadable(world);
        run.unsubscribe();
        await run.putAway();
        expect(world.images()).toEqual(['image_A.tif.gz', 'image_B.tif', 'image_C.tif.gz']);
        expect(run.count('failed')).toBe(0);
        // What was done again after an error is as durable as what went well at once.
        mustBeReadable(await CompressorWorld.on(files.afterCrash('lost'), { pid: 2, dead: [1] }));
      }
    }
  });
});
