import { expect } from 'vitest';
import type { CompressSettings } from '../../../src/operators/compressor/compressor.ts';
import { CompressorWorld, compressSettings, hardImage, softImage } from '../../world/compressorWorld.ts';
import { atEveryCrash, FaultyFiles, Stopped } from '../../world/faultyFiles.ts';
import { StageRun } from '../../world/stageRun.ts';

export const images = { A: softImage('A'), B: hardImage(), C: softImage('C') };
type Id = keyof typeof images;
export const ids = Object.keys(images) as Id[];

/** Runs the stage until every image was attempted, and stops it. @param told takes what was said to be done. */
export async function compressAll(
  files: FaultyFiles,
  told: Set<string>,
  pid: number,
  chosen: readonly Id[] = ids,
): Promise<CompressorWorld> {
  const world = await CompressorWorld.on(files, { pid, dead: pid === 1 ? [] : [1] });
  const run = new StageRun<CompressSettings>(compressSettings);
  run.start(world.stage(run.tools));
  try {
    await run.until(
      () => files.stopped || (chosen.every(id => world.get(id).compression_attempted) && run.told.includes('running')),
    );
    if (!files.stopped) run.stop$.next();
    await run.until(() => files.stopped || run.complete);
    for (const event of run.events) if (event.kind === 'done') told.add(`${event.entryId} ${event.detail.image}`);
  } finally {
    run.unsubscribe();
    await run.putAway();
  }
  if (files.stopped) throw new Stopped();
  await world.manifest.close({ compact: true });
  return world;
}

/** What must be true at any instant: the name that the entry has is that of a whole file. */
export function mustBeReadable(world: CompressorWorld, chosen: readonly Id[] = ids): void {
  for (const id of chosen) expect(world.bytes(id), `${id} as ${world.filename(id)}`).toEqual(images[id]);
}

/**
 * Stops the compressor at every step of its work on some images: each can be read under its name at any instant, and the next one
 * finishes. Needs a clock that stands still. @returns the number of crashes.
 */
export async function compressCrashWalk(prefixes: number, chosen: readonly Id[] = ids): Promise<number> {
  const start = new FaultyFiles();
  const before = await CompressorWorld.on(start);
  await before.offer(Object.fromEntries(chosen.map(id => [id, images[id]])));
  await before.manifest.close({ compact: true });
  return atEveryCrash<Set<string>>({
    start,
    context: () => new Set(),
    work: async (files, told) => void (await compressAll(files, told, 1, chosen)),
    check: async (files, told) => {
      const found = await CompressorWorld.on(files, { pid: 2, dead: [1] });
      mustBeReadable(found, chosen);
      for (const id of chosen) {
        const named = [...told].find(line => line.startsWith(`${id} `));
        if (named) expect(`${id} ${found.filename(id)}`).toBe(named);
      }
      const after = await compressAll(files, new Set(), 2, chosen);
      mustBeReadable(after, chosen);
      expect(after.images()).toEqual(chosen.map(id => `image_${id}.tif${id === 'B' ? '' : '.gz'}`));
      expect([after.claimed(), after.notes]).toEqual([[], []]);
    },
    prefixes,
  });
}
