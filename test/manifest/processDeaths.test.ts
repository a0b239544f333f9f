import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { QueueStage } from '../../src/manifest/stageWork.ts';
import type { ProcessIdentity } from '../../src/model/entry.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { ids, manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';

/** A machine whose processes follow each other: each finds that the one before it has died. */
class Machine {
  readonly files = new FaultyFiles();
  boot = 'boot';
  #pid = 0;

  constructor() {
    this.files.put('/root/data/other.txt', '');
  }

  /** The next process, which releases what the dead ones had in flight. */
  async next(stages: readonly QueueStage[] = ['processor']): Promise<Manifest> {
    this.#pid++;
    const own: ProcessIdentity = { host: 'pi', boot_id: this.boot, pid: this.#pid, pid_start: 1 };
    const manifest = await openSample(this.files, {
      own,
      rules: () => ({ compression: true, sync: true }),
      liveness: ({ pid }) => (pid === own.pid ? 'alive' : 'gone'),
    });
    for (const stage of stages) await manifest.release(manifest.orphans(stage), stage);
    return manifest;
  }
}

const processed = { processing_status: 'processed' as const };

async function withPoison(): Promise<Machine> {
  const machine = new Machine();
  const manifest = await machine.next();
  await manifest.offer(['poison', 'b', 'c', 'd'].map(id => sampleEntry(id)));
  return machine;
}

/** A process takes what it can, and dies. */
async function dies(machine: Machine): Promise<string[]> {
  const manifest = await machine.next();
  return ids(await manifest.claim('processor', 3));
}

describe('an image that ends the process again and again', () => {
  test('is tried alone after three deaths within one boot, as is all that was in flight each time, then must not be tried again', async () => {
    const machine = await withPoison();
    for (let death = 0; death < 3; death++) expect(await dies(machine)).toEqual(['poison', 'b', 'c']);
    expect(await dies(machine)).toEqual(['poison']);
    const manifest = await machine.next();
    const [poison] = await manifest.claim('processor', 3);
    expect(manifest.deadlyWork(poison!, 'processor')).toBe(
      'the process died 4 times while the processor had this image in work, the last time with nothing else',
    );
    await manifest.settle([poison!], 'processor', { processing_status: 'failed' });
    // The others were only near it: each is tried alone, and is well.
    for (const id of ['b', 'c']) {
      const [entry, ...more] = await manifest.claim('processor', 3);
      expect([entry!.entry_id, more, manifest.deadlyWork(entry!, 'processor')]).toEqual([id, [], null]);
      expect(await manifest.claim('processor', 3)).toEqual([]);
      await manifest.settle([entry!], 'processor', processed);
    }
    expect(ids(await manifest.claim('processor', 3))).toEqual(['d']);
    expect(ids(manifest.entries())).toEqual(['poison', 'b', 'c', 'd']);
  });

  test('is counted through compactions, and not by power cuts', async () => {
    const machine = await withPoison();
    await dies(machine);
    await dies(machine);
    const manifest = await machine.next();
    await manifest.claim('processor', 1);
    await manifest.compact();
    expect(String(machine.files.content(manifestFile))).toContain(
      '"process_deaths":{"processor":{"boot_id":"boot","count":2}}',
    );
    // The power fails: who was in flight then is nobody's fault, and what was counted before is of another boot.
    machine.boot = 'next boot';
    for (let death = 0; death < 4; death++) {
      expect(await dies(machine)).toEqual(['poison', 'b', 'c']);
      machine.boot = `boot ${death}`;
    }
    const last = await machine.next();
    expect(last.get('poison')!.process_deaths).toEqual({ processor: { boot_id: 'boot', count: 2 } });
  });

  test('waits until nothing else is in flight in any stage, and nothing else begins before it is done', async () => {
    const machine = await withPoison();
    for (let death = 0; death < 3; death++) await dies(machine);
    const manifest = await machine.next();
    await manifest.offer([sampleEntry('report me', processed), sampleEntry('and me', processed)]);
    const reporting = await manifest.claim('communicator', 1);
    const alone = manifest.claim('processor', 3);
    expect(await Promise.race([alone, manifest.claim('communicator', 1)])).toEqual([]);
    await manifest.settle(reporting, 'communicator', { data_transmitted: true });
    const taken = await alone;
    expect(ids(taken)).toEqual(['poison']);
    expect(await manifest.claim('communicator', 1)).toEqual([]);
    await manifest.settle(taken, 'processor', processed);
    expect(ids(await manifest.claim('communicator', 1))).toEqual(['poison']);
  });

  test('does not keep its stage from leaving', async () => {
    const machine = await withPoison();
    for (let death = 0; death < 3; death++) await dies(machine);
    const manifest = await machine.next();
    await manifest.offer([sampleEntry('report me', processed), sampleEntry('and me', processed)]);
    await manifest.claim('communicator', 1);
    const leaving = new AbortController();
    const alone = manifest.claim('processor', 3, { leaving: leaving.signal });
    leaving.abort();
    expect(await alone).toEqual([]);
    expect(ids(await manifest.claim('communicator', 1))).toEqual(['and me']);
  });

  test('begins anew when somebody sets it back', async () => {
    const machine = await withPoison();
    for (let death = 0; death < 4; death++) await dies(machine);
    const manifest = await machine.next();
    const [poison] = await manifest.claim('processor', 1);
    await manifest.settle([poison!], 'processor', { processing_status: 'failed' });
    await manifest.requeue([manifest.get('poison')!], 'pending', { restore: false });
    const [again] = await manifest.claim('processor', 1);
    expect([again!.entry_id, manifest.deadlyWork(again!, 'processor')]).toEqual(['poison', null]);
  });

  test.each(['compressor', 'syncer'] as const)('is one of the %s too', async stage => {
    const machine = new Machine();
    const first = await machine.next();
    await first.offer([sampleEntry('poison', { ...processed, compression_attempted: stage === 'syncer' })]);
    for (let death = 0; death < 4; death++) {
      const manifest = await machine.next([stage]);
      expect(ids(await manifest.claim(stage, 3))).toEqual(['poison']);
    }
    const manifest = await machine.next([stage]);
    const [poison] = await manifest.claim(stage, 3);
    expect(manifest.deadlyWork(poison!, stage)).toMatch(/died 4 times while the (compressor|syncer) had/);
  });
});
