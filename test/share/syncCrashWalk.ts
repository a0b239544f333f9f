import { expect } from 'vitest';
import type { SyncSettings } from '../../src/operators/syncer/syncer.ts';
import { atEveryCrash, type CrashKind, FaultyFiles, Stopped } from '../world/faultyFiles.ts';
import { StageRun } from '../world/stageRun.ts';
import { day, imageOf, SyncerWorld, syncSettings } from '../world/syncerWorld.ts';

const results = '/root/results/processing_results.jsonl';
const lines = '{"a":1}\n{"b":2}\n';

/** Runs the syncer until it has nothing more to do, or the machine stops. */
async function run(files: FaultyFiles, pid: number, onDone: (id: string) => void): Promise<SyncerWorld> {
  const world = await SyncerWorld.on(files, { pid, dead: [1, 2, 3].filter(other => other !== pid) });
  const stageRun = new StageRun<SyncSettings>(syncSettings);
  stageRun.start(world.stage(stageRun.tools));
  stageRun.upstreamDone$.next();
  stageRun.settings$.complete();
  await stageRun.until(() => stageRun.complete || files.stopped);
  for (const event of stageRun.events) if (event.kind === 'done') onDone(event.entryId);
  stageRun.unsubscribe();
  await stageRun.putAway();
  if (files.stopped) throw new Stopped();
  return world;
}

/**
 * Stops a machine, and the share with it, at every step of a second round: new images, a manifest and a file that has grown. What was told
 * as copied stands there; and once it runs again everything stands there, once.
 *
 * Needs a clock that stands still. @returns the number of crashes.
 */
export async function syncCrashWalk({
  ids,
  prefixes,
  kinds,
}: {
  ids: readonly string[];
  prefixes: number;
  kinds: readonly CrashKind[];
}): Promise<number> {
  const start = new FaultyFiles();
  const before = await SyncerWorld.on(start);
  await before.offer('earlier');
  start.put(results, lines.slice(0, lines.length / 2));
  await run(start, 3, () => undefined);
  await before.manifest.catchUp();
  await before.offer(...ids);
  await before.manifest.close({ compact: true });
  start.put(results, lines);
  return atEveryCrash<Set<string>>({
    start,
    prefixes,
    kinds,
    context: () => new Set(),
    work: async (files, done) => {
      await run(files, 1, id => done.add(id));
    },
    check: async (files, done) => {
      const copyOf = (id: string) => files.content(`/share/phorest/data/20250724/image_${id}.png`)?.toString();
      for (const id of done) expect(copyOf(id)).toBe(imageOf(id).toString());
      const reopened = await SyncerWorld.on(files, { pid: 2, dead: [1] });
      for (const id of reopened.synced()) expect(copyOf(id)).toBe(imageOf(id).toString());
      for (const id of done) expect(reopened.synced()).toContain(id);
      const world = await run(files, 2, () => undefined);
      expect(world.synced()).toEqual(['earlier', ...ids]);
      expect(world.copy('results/processing_results.jsonl')).toBe(lines);
      expect(JSON.parse(world.copy('data/metadata_manifest.json')!)).toHaveLength(1 + ids.length);
      expect(world.onShare().filter(path => /image.*~|manifest.*~|image.*\.part/.test(path))).toEqual([]);
      for (const id of ids) {
        expect(copyOf(id)).toBe(imageOf(id).toString());
        expect(files.content(`${day}/image_${id}.png`)).toEqual(imageOf(id));
      }
    },
  });
}
