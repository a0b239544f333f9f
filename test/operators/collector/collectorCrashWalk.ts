import { expect, vi } from 'vitest';
import { type Entry, isBrightfield } from '../../../src/model/entry.ts';
import { brightfield } from '../../../src/operators/brightfield/brightfield.ts';
import type { CollectSettings } from '../../../src/operators/collector/captureStage.ts';
import { collector } from '../../../src/operators/collector/collector.ts';
import { CollectorFixture, capturedFrame, collectSettings } from '../../world/collectorFixture.ts';
import { atEveryCrash, type CrashKind, FaultyFiles, Stopped } from '../../world/faultyFiles.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { ids, sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';

const frames = 2;
const noon = Date.UTC(2025, 6, 24, 12);

/** A camera that exposes until it is told to stop. */
const untilAborted = (signal: AbortSignal): Promise<null> =>
  new Promise(resolve => signal.addEventListener('abort', () => resolve(null)));

const stages = { collector, brightfield };
type CaptureStage = keyof typeof stages;

/** Takes some frames; brightfield takes them beside frames whose entries come from elsewhere. @param told takes the entries that were told of. */
async function collectSome(
  stage: CaptureStage,
  files: FaultyFiles,
  pid: number,
  told: Set<string>,
): Promise<PipelineWorld> {
  // The walk takes days of this clock; what a collector left is looked for in its own day's folder.
  vi.setSystemTime(noon);
  const world = await PipelineWorld.open(files, { pid, dead: [1, 2].filter(other => other !== pid) });
  const run = new StageRun<CollectSettings>(collectSettings);
  const fixture = new CollectorFixture(world, 'triggered');
  fixture.onNext = async (number, signal) => (number < frames ? capturedFrame() : untilAborted(signal));
  let made = 0;
  run.start(fixture.stage({ ...run.tools, newId: () => `by ${pid}, ${made++}` }, stages[stage]));
  for (let i = 0; stage === 'brightfield' && i < frames && !files.stopped; i++) {
    await run.until(() => files.stopped || run.told.includes('running'), 500);
    await world.manifest.offer([sampleEntry(`main ${pid}, ${i}`)]).catch(() => undefined);
    await run.until(() => files.stopped || run.count('done') > i, 500);
  }
  await run.until(() => files.stopped || run.count('done') === frames, 500);
  for (const event of run.events) if (event.kind === 'done') told.add(event.entryId);
  run.unsubscribe();
  await run.putAway();
  if (files.stopped) throw new Stopped();
  await world.manifest.close({ compact: true });
  return world;
}

/**
 * Stops a stage that takes frames at every step from the image to its entry: what was told is there with its whole image, no entry is without
 * one, and the next collector goes on and leaves nothing unfinished behind. Needs a clock that stands still. @returns the number of crashes.
 */
export async function collectCrashWalk(
  stage: CaptureStage,
  prefixes: number,
  kinds: readonly CrashKind[],
): Promise<number> {
  // Both frames have the same two pixels.
  const sample = new FaultyFiles();
  await collectSome(stage, sample, 1, new Set());
  const image = sample.content(sample.paths().find(path => path.endsWith('.png'))!);
  const start = new FaultyFiles();
  start.put('/root/data/20250724/other.txt', '');
  const captured = (manifest: PipelineWorld['manifest']): Entry[] =>
    [...manifest.entries()].filter(entry => isBrightfield(entry.camera_data) === (stage === 'brightfield'));
  return atEveryCrash<Set<string>>({
    start,
    prefixes,
    kinds,
    context: () => new Set(),
    work: async (files, told) => void (await collectSome(stage, files, 1, told)),
    check: async (files, told) => {
      const found = await PipelineWorld.open(files, { pid: 2, dead: [1] });
      expect(ids(found.manifest.entries())).toEqual(expect.arrayContaining([...told]));
      const mustHaveImages = ({ manifest }: PipelineWorld): void => {
        for (const { camera_data: camera } of captured(manifest))
          expect(files.content(`${camera!.filepath}/${camera!.filename}`)).toEqual(image);
      };
      mustHaveImages(found);
      const before = ids(captured(found.manifest));
      await found.manifest.close({ compact: false });
      const after = await collectSome(stage, files, 2, new Set());
      expect(ids(captured(after.manifest))).toEqual([...before, 'by 2, 0', 'by 2, 1']);
      mustHaveImages(after);
      expect(files.paths().filter(path => path.endsWith('.tmp'))).toEqual([]);
    },
  });
}
