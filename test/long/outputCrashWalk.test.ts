import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectCrashWalk } from '../operators/collector/collectorCrashWalk.ts';
import { compressCrashWalk } from '../operators/compressor/compressorCrashWalk.ts';
import { csvCrashWalk, resultsLogCrashWalk, seriesCrashWalk } from '../sinks/outputCrashWalk.ts';
import { useStillTime } from '../world/eventRun.ts';
import { crashKinds } from '../world/faultyFiles.ts';

it('results: every acknowledged line stays, whatever is stopped wherever, after every prefix of every write', async ({
  annotate,
}) => {
  const crashes = await resultsLogCrashWalk(Number.POSITIVE_INFINITY);
  await annotate(`${crashes} crashes`);
  expect(crashes).toBeGreaterThan(2_000);
});

it('table: every row is there once, whatever is stopped wherever, after every prefix of every write', async ({
  annotate,
}) => {
  const crashes = await csvCrashWalk(Number.POSITIVE_INFINITY);
  await annotate(`${crashes} crashes`);
  expect(crashes).toBeGreaterThan(2_000);
});

it('series: every image is there once, whatever is stopped wherever, after every prefix of every write', async ({
  annotate,
}) => {
  const crashes = await seriesCrashWalk(Number.POSITIVE_INFINITY);
  await annotate(`${crashes} crashes`);
  expect(crashes).toBeGreaterThan(2_000);
});

describe('in time that stands still', () => {
  beforeEach(useStillTime);
  afterEach(() => {
    vi.useRealTimers();
  });

  it('collector: no entry without its image, nothing told is gone, after parts of every write', async ({
    annotate,
  }) => {
    const crashes = await collectCrashWalk('collector', 40, crashKinds);
    await annotate(`${crashes} crashes`);
    expect(crashes).toBeGreaterThan(1_000);
  });

  it('compressor: every image can be read under its name, after parts of every write', async ({ annotate }) => {
    const crashes = await compressCrashWalk(40);
    await annotate(`${crashes} crashes`);
    expect(crashes).toBeGreaterThan(1_000);
  });
});
