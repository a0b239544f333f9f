import { describe, expect, it } from 'vitest';
import { measureWrites } from '../../src/files/measureWrites.ts';
import { FaultyFiles, type Step } from '../world/faultyFiles.ts';

/** A disk whose steps take time. */
function slowDisk(costMs: (step: Step) => number, plan?: (step: Step) => { error: string } | undefined) {
  let now = 0;
  const files = new FaultyFiles();
  files.plan = step => {
    now += costMs(step);
    return plan?.(step) ?? null;
  };
  return { files, clock: { now: () => now, monotonic: () => now }, at: () => now };
}

describe('the speed of a disk', () => {
  it('is that with its fsyncs, and nothing is left behind', async () => {
    // 100,000 bytes take 10 ms, an fsync 10 ms.
    const { files, clock } = slowDisk(({ kind, length }) =>
      kind === 'sync' ? 10 : kind === 'write' ? length / 10_000 : 0,
    );
    await files.makeFolder('/disk');
    const { bytesPerSecond, syncMs } = await measureWrites('/disk', { files, clock, mostBytes: 100_000 });
    expect(bytesPerSecond).toBeCloseTo(100_000 / 0.02, -3);
    expect(syncMs.median).toBeCloseTo(10, 0);
    expect(syncMs.longest).toBeCloseTo(10, 0);
    expect(await files.list('/disk')).toEqual([]);
  });

  it('of a disk that is very slow is known after some seconds', async () => {
    const { files, clock, at } = slowDisk(({ kind }) => (kind === 'sync' ? 1_500 : 0));
    await files.makeFolder('/disk');
    const { syncMs } = await measureWrites('/disk', { files, clock, mostBytes: 100_000 });
    expect(syncMs.median).toBe(1_500);
    expect(at()).toBeLessThan(12_000);
  });

  it('is measured within the room that there is', async () => {
    let most = 0;
    const { files, clock } = slowDisk(({ kind, length }) => {
      if (kind === 'write') most += length;
      return 1;
    });
    await files.makeFolder('/disk');
    await measureWrites('/disk', { files, clock, mostBytes: 100_000 });
    expect(most).toBeLessThan(115_000);
  });

  it('of a disk that fails meanwhile is its error, and nothing is left behind', async () => {
    const { files, clock } = slowDisk(
      () => 1,
      ({ kind }) => (kind === 'sync' ? { error: 'EIO' } : undefined),
    );
    await files.makeFolder('/disk');
    await expect(measureWrites('/disk', { files, clock, mostBytes: 100_000 })).rejects.toMatchObject({ code: 'EIO' });
    expect(await files.list('/disk')).toEqual([]);
  });
});
