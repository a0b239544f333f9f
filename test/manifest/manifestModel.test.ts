import { expect, test } from 'vitest';
import { runModel } from './manifestModel.ts';
import { ManifestWorld } from './manifestWorld.ts';

test('random sequences by two writers, with crashes, faults, stolen locks and hand edits, lose nothing', async () => {
  const run = await runModel({ numRuns: 100, timeLimitMs: 30_000 });
  expect(run.sequences).toBeGreaterThan(20);
  expect(run.hits).toBeGreaterThan(20);
});

/** Sequences that once lost something, as fast-check shrank them. */
const found: Record<string, (world: ManifestWorld) => Promise<void>> = {
  'an edit that a suspended compaction found when it read everything anew': async world => {
    world.fault(0, 2, { stop: true, applied: 0 });
    await world.offer(0, 1);
    await world.compact(1);
    world.handEdit(0, { remark: 'note 0' });
    world.suspend(1, 20);
    await world.catchUp(1);
    await world.compact(0);
    world.handEdit(0, { remark: 'note 1' });
    await world.compact(0);
    await world.settle(0, 0);
    await world.resume(0);
  },
  'a new journal whose name was not yet durable when somebody else sealed it': async world => {
    await world.offer(0, 1);
    world.fault(0, 0, { error: 'EIO', applied: 1 });
    await world.compact(0);
    await world.offer(0, 1);
  },
  'a journal that somebody else had made longer when it was sealed, and the power went (vfat)': async world => {
    await world.offer(0, 1);
    await world.damage('foreign', 0);
    world.fault(0, 1, { error: 'EIO', applied: 1 });
    await world.compact(0);
    await world.powerCut('kill');
  },
  'an append that came while another writer, suspended, gave back the place beyond the end (vfat)': async world => {
    world.suspend(1, 13);
    await world.offer(0, 1);
    await world.catchUp(1);
    await world.claim(1, 'processor', 1);
    await world.settle(0, 0);
    await world.offer(0, 1);
    world.stealLock();
  },
  'a journal made again after its removal, by a writer that slept for several compactions': async world => {
    await world.offer(0, 1);
    world.suspend(0, 6);
    await world.compact(0);
    await world.kill(1);
    await world.claim(1, 'processor', 1);
    await world.compact(1);
    await world.settle(1, 0);
    await world.compact(1);
  },
  'an edit that was taken as the base by a new process, while another compaction had only begun': async world => {
    await world.offer(1, 1);
    await world.claim(1, 'processor', 1);
    await world.settle(1, 0);
    await world.compact(0);
    await world.claim(0, 'communicator', 1);
    world.handEdit(0, { processing_status: 'pending' });
    await world.kill(0);
    world.suspend(0, 6);
    await world.compact(0);
    await world.offer(1, 1);
  },
  'a report that was claimed when its image was set back': async world => {
    await world.offer(0, 1);
    await world.claim(0, 'processor', 1);
    await world.settle(0, 0);
    await world.claim(0, 'communicator', 1);
    await world.compact(0);
    world.handEdit(0, { processing_status: 'pending' });
    await world.catchUp(0);
    await world.claim(0, 'processor', 1);
    await world.settle(0, 0);
  },
};

test.each(Object.entries(found))('%s', async (_name, sequence) => {
  for (const semantics of ['apart', 'joined'] as const) {
    const world = await ManifestWorld.begin(semantics);
    await sequence(world);
    await world.check();
  }
});
