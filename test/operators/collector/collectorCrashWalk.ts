import { expect, vi } from 'vitest';
import type { CollectSettings } from '../../../src/operators/collector/collector.ts';
import { CollectorFixture, capturedFrame, collectSettings } from '../../world/collectorFixture.ts';
import { atEveryCrash, type CrashKind, FaultyFiles, Stopped } from '../../world/faultyFiles.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { ids } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';

const frames = 2;
const noon = Date.UTC(2025, 6, 24, 12);

/** A camera that exposes until it is told to stop. */
const untilAborted = (signal: AbortSignal): Promise<null> =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve(null)));

/** Takes some frames. @param told takes the entries that were told of. */
async function collectSome(files: FaultyFiles, pid: number, told: Set<string>): Promise<PipelineWorld> {
  // The walk takes days of this clock; what a collector left is looked for in its own day's folder.
  vi.setSystemTime(noon);
  const world = await PipelineWorld.open(files, { pid, dead: [1, 2].filter(other => other !== pid) });
  const run = new StageRun<CollectSettings>(collectSettings);
  const fixture = new CollectorFixture(world, 'triggered');
  fixture.onNext = async (number, signal) => (number < frames ? capturedFrame() : untilAborted(signal));
  let made = 0;
  run.start(fixture.stage({ ...run.tools, newId: () => `by ${pid}, ${made++}` }));
  await run.until(() => files.stopped || run.count('done') === frames, 500);
  for (const event of run.events) if (event.kind === 'done') told.add(event.entryId);
  run.unsubscribe();
  await run.putAway();
  if (files.stopped) throw new Stopped();
  await world.manifest.close({ compact: true });
  return world;
}

/**
 * Stops the collector at every step from the image to its entry: what was told is there with its whole image, no entry is without
 * one, and the next collector goes on and leaves nothing unfinished behind. Needs a clock that stands still. @returns the number of crashes.
 */
export async function collectCrashWalk(prefixes: number, kinds: readonly CrashKind[]): Promise<number> {
  // Both frames have the same two pixels.
  const sample = new FaultyFiles();
  await collectSome(sample, 1, new Set());
  const image = sample.content(sample.paths().find(path => path.endsWith('.png'))!);
  const start = new FaultyFiles();
  start.put('/root/data/20250724/other.txt', '');
  return atEveryCrash<Set<string>>({
    start,
    prefixes,
    kinds,
    context: () => new Set(),
    work: async (files, told) => void (await collectSome(files, 1, told)),
    check: async (files, told) => {
      const found = await PipelineWorld.open(files, { pid: 2, dead: [1] });
      expect(ids(found.manifest.entries())).toEqual(expect.arrayContaining([...told]));
      const mustHaveImages = ({ manifest }: PipelineWorld): void => {
        for (const { camera_data: camera } of manifest.entries())
          expect(files.content(`${camera!.filepath}/${camera!.filename}`)).toEqual(image);
      };
      mustHaveImages(found);
      const before = ids(found.manifest.entries());
      await found.manifest.close({ compact: false });
      const after = await collectSome(files, 2, new Set());
      expect(ids(after.manifest.entries())).toEqual([...before, 'by 2, 0', 'by 2, 1']);
      mustHaveImages(after);
      expect(files.paths().filter(path => path.endsWith('.tmp'))).toEqual([]);
    },
  });
}
