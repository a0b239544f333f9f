import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Entry } from '../../../src/model/entry.ts';
import type { ResultLine, RoiResult } from '../../../src/model/result.ts';
import {
  type CommunicateExperiment,
  type CommunicateSettings,
  communicator,
} from '../../../src/operators/communicator/communicator.ts';
import { runStage } from '../../../src/operators/stage/runStage.ts';
import { composeResultLine } from '../../../src/sinks/results/composeResultLine.ts';
import { CommunicatorFixture, communicateSettings } from '../../world/communicatorFixture.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { dataFolder, PipelineWorld, resultHead } from '../../world/pipelineWorld.ts';
import { isSettled, sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';
import { failure, gate } from '../../world/stageWorld.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

async function prepare(...processed: string[]) {
  const world = await PipelineWorld.open();
  await world.offerProcessed(...processed);
  const run = new StageRun<CommunicateSettings>(communicateSettings);
  return { world, fixture: new CommunicatorFixture(world), run };
}

const transmitted = (world: PipelineWorld): string[] => world.ids(entry => entry.data_transmitted);

describe('communicate', () => {
  it('reports what was processed in the order of collection, settles it, and tells of each', async () => {
    const { world, fixture, run } = await prepare('A', 'B', 'C');
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 3);
    await world.offerProcessed('D');
    await run.until(() => run.count('done') === 4);
    expect(fixture.rows).toEqual(['A', 'B', 'C', 'D']);
    expect(transmitted(world)).toEqual(['A', 'B', 'C', 'D']);
    expect(world.claimed('communicator')).toEqual([]);
    expect(run.events.find(event => event.kind === 'done')).toMatchObject({
      detail: { image: 'image_A.png', rois: 0 },
    });
    expect(run.status('communicator')).toMatchObject({ in_flight: 0, done: 4, alarms: [] });
    run.unsubscribe();
  });

  it('reports 16 in one go, at most', async () => {
    const { fixture, run } = await prepare(...Array.from({ length: 20 }, (_, i) => `entry${i + 10}`));
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 20);
    expect(fixture.reports).toEqual([16, 4]);
    expect(run.told.filter(told => told.startsWith('claimed'))).toEqual(['claimed 16', 'claimed 4']);
    run.unsubscribe();
  });

  it('waits for an earlier image that is still being analysed, also when upstream is done', async () => {
    const { world, fixture, run } = await prepare();
    await world.offer('A', 'B');
    const [first, second] = await world.manifest.claim('processor', 2);
    await world.settleProcessed(second!);
    run.start(fixture.stage(run.tools));
    run.settings$.complete();
    run.upstreamDone$.next();
    await run.rest();
    expect([fixture.rows, run.complete]).toEqual([[], false]);
    await world.settleProcessed(first!);
    await run.until(() => run.complete);
    expect(fixture.rows).toEqual(['A', 'B']);
  });

  it('leaves at once while it waits for an earlier image', async () => {
    const { world, fixture, run } = await prepare();
    await world.offer('A', 'B');
    const [, second] = await world.manifest.claim('processor', 2);
    await world.settleProcessed(second!);
    run.start(fixture.stage(run.tools));
    await run.rest();
    run.stop$.next();
    await run.rest();
    expect([run.complete, fixture.rows, vi.getTimerCount()]).toEqual([true, [], 0]);
  });

  it('does not wait for an image that has been at it for a minute', async () => {
    const { world, fixture, run } = await prepare();
    await world.offer('A', 'B');
    const [, second] = await world.manifest.claim('processor', 2);
    await world.settleProcessed(second!);
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 1, 5000);
    expect(fixture.rows).toEqual(['B']);
    run.unsubscribe();
  });

  it('draws at the end, not when it is cut short', async () => {
    const { fixture, run } = await prepare('A');
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 1);
    run.stop$.next();
    await run.until(() => run.complete);
    expect(fixture.log).toEqual(['recover', 'flush', 'close']);
    const again = new StageRun(communicateSettings);
    again.start(fixture.stage(again.tools));
    await again.rest();
    again.unsubscribe();
    await again.putAway();
    expect(fixture.log.slice(3)).toEqual(['recover', 'close']);
  });

  it('closes its output also when the drawing at the end fails', async () => {
    const { fixture, run } = await prepare();
    fixture.onFlush = () => Promise.reject(failure('ENOSPC'));
    run.start(fixture.stage(run.tools));
    await run.rest();
    run.stop$.next();
    await run.until(() => run.complete);
    expect(run.told.slice(-2)).toEqual(['alarm ENOSPC', 'stopped']);
    expect(fixture.open).toBe(0);
  });

  it('is off without a method', async () => {
    const { fixture } = await prepare('A');
    const run = new StageRun<CommunicateSettings>({ ...communicateSettings, methods: [] });
    run.start(fixture.stage(run.tools));
    await run.rest();
    expect([run.told, fixture.log]).toEqual([['off'], []]);
    run.unsubscribe();
  });

  describe('a result line', () => {
    it('that can not be read is made again: its entry waits for the processor', async () => {
      const { world, fixture, run } = await prepare('A', 'B', 'C');
      const broken = world.get('B').result!;
      const path = '/root/results/processing_results.jsonl';
      const content = Buffer.from(world.files.content(path)!);
      content.fill('#', broken.offset, broken.offset + broken.length - 1);
      world.files.put(path, content);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 2);
      expect(fixture.rows).toEqual(['A', 'C']);
      expect(world.get('B')).toMatchObject({ processing_status: 'pending', data_transmitted: false, claims: {} });
      expect(run.events.find(event => event.kind === 'discarded')).toMatchObject({ entryId: 'B' });
      await world.settleProcessed((await world.manifest.claim('processor', 1))[0]!);
      await run.until(() => run.count('done') === 3);
      expect(fixture.rows).toEqual(['A', 'C', 'B']);
      expect(run.status('communicator')).toMatchObject({ in_flight: 0, done: 3, discarded: 1 });
      run.unsubscribe();
    });

    it.each([
      ['names none', { result: undefined }],
      ['names that of another', { attempt: 7 }],
      ['names one in a segment that is gone', { result: { segment: 9, offset: 0, length: 10 } }],
    ])('where the entry %s is made again', async (_what, set) => {
      const { world, fixture, run } = await prepare('A');
      const [entry] = await world.manifest.claim('communicator', 1);
      await world.manifest.release([entry!], 'communicator', set as object);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('discarded') === 1);
      expect(world.get('A').processing_status).toBe('pending');
      expect(run.count('alarm')).toBe(0);
      run.unsubscribe();
    });

    it.each(['EIO', 'ESTALE', 'EMFILE'])('that the disk does not give (%s) is no fault of its own', async code => {
      const { world, fixture, run } = await prepare('A', 'B');
      // As the results log tells it: with the system's error as the cause.
      fixture.onRead = () => Promise.reject(new Error('no result line there', { cause: failure(code) }));
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      expect(world.claimed('communicator')).toEqual([]);
      expect(world.ids(entry => entry.processing_status === 'processed')).toEqual(['A', 'B']);
      fixture.onRead = async () => undefined;
      await run.until(() => run.count('done') === 2, 500);
      expect(fixture.rows).toEqual(['A', 'B']);
      run.unsubscribe();
    });
  });

  describe('nothing is reported twice, and nothing is left out', () => {
    it('when the rows stand and the settling fails', async () => {
      const { world, fixture, run } = await prepare('A', 'B');
      fixture.onReported = async () => {
        world.files.plan = ({ kind }) => (kind === 'write' ? { error: 'ENOSPC' } : null);
      };
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      expect(world.claimed('communicator')).toEqual(['A', 'B']);
      await run.until(() => run.count('alarm') === 3, 500);
      fixture.onReported = async () => undefined;
      world.files.plan = () => null;
      await run.until(() => transmitted(world).length === 2, 500);
      await world.offerProcessed('C');
      await run.until(() => run.count('done') === 1, 500);
      expect(fixture.rows).toEqual(['A', 'B', 'C']);
      expect(run.status('communicator').alarms).toEqual([]);
      run.unsubscribe();
    });

    it('when the report fails after its rows stand: the output is asked before it is repeated', async () => {
      const { world, fixture, run } = await prepare('A', 'B');
      fixture.onReported = () => Promise.reject(failure('EIO'));
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      fixture.onReported = async () => undefined;
      await run.until(() => transmitted(world).length === 2, 500);
      expect(fixture.rows).toEqual(['A', 'B']);
      expect(fixture.log.at(-1)).toBe('recover A B');
      run.unsubscribe();
    });

    it('when the report fails before', async () => {
      const { world, fixture, run } = await prepare('A', 'B');
      fixture.onReport = () => Promise.reject(failure('ENOSPC'));
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 2, 500);
      fixture.onReport = async () => undefined;
      await run.until(() => run.count('done') === 2, 500);
      expect(fixture.rows).toEqual(['A', 'B']);
      expect(transmitted(world)).toEqual(['A', 'B']);
      expect(run.status('communicator').in_flight).toBe(0);
      run.unsubscribe();
    });

    it('when it is cut short during a report: that is finished and settled, never released', async () => {
      const { world, fixture, run } = await prepare('A', 'B');
      const door = gate();
      fixture.onReport = () => door.pass();
      run.start(fixture.stage(run.tools));
      await run.until(() => world.claimed('communicator').length === 2);
      await run.rest();
      run.unsubscribe();
      await run.rest();
      expect([world.claimed('communicator'), fixture.open]).toEqual([['A', 'B'], 1]);
      door.open();
      await run.putAway();
      expect([fixture.rows, transmitted(world), fixture.open]).toEqual([['A', 'B'], ['A', 'B'], 0]);
      expect(world.claimed('communicator')).toEqual([]);
    });

    it('when a report that was cut short fails: its claims stay for the next process to look into', async () => {
      const { world, fixture, run } = await prepare('A');
      const door = gate();
      fixture.onReported = () => door.pass();
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.rows.length === 1);
      run.unsubscribe();
      door.fail(failure('EIO'));
      await run.putAway();
      expect(world.claimed('communicator')).toEqual(['A']);

      const next = await PipelineWorld.open(world.files, { pid: 2, dead: [1] });
      const nextFixture = new CommunicatorFixture(next, fixture.rows);
      const nextRun = new StageRun<CommunicateSettings>(communicateSettings);
      nextRun.start(nextFixture.stage(nextRun.tools));
      await nextRun.until(() => transmitted(next).length === 1);
      expect(fixture.rows).toEqual(['A']);
      nextRun.unsubscribe();
    });

    it('when it is cut short while it reads: all is released', async () => {
      const { world, fixture, run } = await prepare('A', 'B');
      const door = gate();
      fixture.onRead = () => door.pass();
      run.start(fixture.stage(run.tools));
      await run.until(() => world.claimed('communicator').length === 2);
      run.unsubscribe();
      door.open();
      await run.putAway();
      expect([fixture.rows, world.claimed('communicator')]).toEqual([[], []]);
    });

    it('when a process was killed between report and settling', async () => {
      const before = await PipelineWorld.open();
      await before.offerProcessed('A', 'B', 'C');
      const rows = ['older'];
      await before.manifest.claim('communicator', 2, { place: { segment: 0, length: 1 } });
      // Of its batch the first was written, and then it ended.
      rows.push('A');

      const world = await PipelineWorld.open(before.files, { pid: 2, dead: [1] });
      const fixture = new CommunicatorFixture(world, rows);
      const run = new StageRun<CommunicateSettings>(communicateSettings);
      run.start(fixture.stage(run.tools));
      await run.until(() => transmitted(world).length === 3);
      expect(fixture.rows).toEqual(['older', 'A', 'B', 'C']);
      expect(run.count('done')).toBe(2);
      run.unsubscribe();
    });

    it('over new settings in the middle of a report', async () => {
      const { world, fixture, run } = await prepare('A', 'B');
      const door = gate();
      fixture.onReport = () => door.pass();
      run.start(fixture.stage(run.tools));
      await run.until(() => world.claimed('communicator').length === 2);
      run.settings$.next({ ...communicateSettings, title: 'other' });
      // Longer than old settings may hold up new ones.
      await vi.advanceTimersByTimeAsync(40_000);
      await run.rest();
      expect(fixture.open).toBe(1);
      door.open();
      await world.offerProcessed('C');
      await run.until(() => transmitted(world).length === 3);
      expect(fixture.rows).toEqual(['A', 'B', 'C']);
      expect(fixture.maxOpen).toBe(1);
      run.unsubscribe();
    });
  });

  it('opens no output twice when it can not look at what was left', async () => {
    const { world, fixture, run } = await prepare('A');
    const [entry] = await world.manifest.claim('communicator', 1);
    const next = await PipelineWorld.open(world.files, { pid: 2, dead: [1] });
    const nextFixture = new CommunicatorFixture(next, fixture.rows);
    nextFixture.onRead = () => Promise.reject(failure('EIO'));
    run.start(nextFixture.stage(run.tools));
    await run.until(() => run.count('alarm') === 2, 500);
    expect([nextFixture.open, nextFixture.maxOpen, nextFixture.log]).toEqual([0, 1, ['close', 'close']]);
    expect(next.claimed('communicator')).toEqual([entry!.entry_id]);
    run.unsubscribe();
  });

  describe('marks what has moved since the image before', () => {
    /** Entries whose resonance stands at a position, with a standard error of 0.1 px: 1 px is a move. */
    async function offerAt(world: PipelineWorld, positions: Record<string, number>, set: Partial<Entry> = {}) {
      const ids = Object.keys(positions);
      for (const id of ids) world.files.put(`${dataFolder}/20250724/image_${id}.png`, 'pixels');
      await world.manifest.offer(ids.map(id => sampleEntry(id, set)));
      const entries = await world.manifest.claim('processor', ids.length);
      for (const entry of entries) await settleAt(world, entry, positions[entry.entry_id]!);
    }

    async function settleAt(world: PipelineWorld, entry: Entry, position: number) {
      const roi = { 'ROI-label': 'A', 'Analysis-method': 'gaussian', position, uncertainty: 0.1, flags: [] };
      const analysis = new TextEncoder().encode(JSON.stringify([{ brightness: 1, contrast: 1 }, roi]));
      const result = await world.log.append(composeResultLine(resultHead(entry), analysis));
      await world.manifest.settle([entry], 'processor', { processing_status: 'processed', result });
    }

    const isMarked = ({ image_analysis: analysis }: ResultLine): boolean =>
      (analysis?.[1] as RoiResult | undefined)?.flags.includes('moved') ?? false;

    /** The stage of a fixture; what it reports, and looks for when it opens, stands in the lists. */
    function watched(fixture: CommunicatorFixture, tools: StageRun<CommunicateSettings>['tools']) {
      const reported: ResultLine[] = [];
      const recovered: ResultLine[] = [];
      const experiment: CommunicateExperiment = {
        ...fixture.deps,
        tools,
        openReporter: async settings => {
          const reporter = await fixture.deps.openReporter(settings);
          return {
            ...reporter,
            recover: unsettled => {
              recovered.push(...unsettled.map(({ result }) => result));
              return reporter.recover(unsettled);
            },
            report: results => {
              reported.push(...results);
              return reporter.report(results);
            },
          };
        },
      };
      const stage = runStage(communicator, experiment, tools);
      const marked = () => reported.filter(isMarked).map(line => line.entry_id);
      return { stage, reported, recovered, marked };
    }

    async function reportAll(world: PipelineWorld, count: number): Promise<string[]> {
      const run = new StageRun<CommunicateSettings>(communicateSettings);
      const { stage, marked } = watched(new CommunicatorFixture(world), run.tools);
      run.start(stage);
      await run.until(() => run.count('done') === count);
      run.unsubscribe();
      return marked();
    }

    it('within a batch, and only there', async () => {
      const world = await PipelineWorld.open();
      await offerAt(world, { A: 10, B: 10.1, C: 12, D: 12, E: 10 });
      expect(await reportAll(world, 5)).toEqual(['C', 'E']);
      // What the log holds does not know of it.
      for (const entry of world.manifest.entries()) expect(isMarked(await world.log.read(entry.result!))).toBe(false);
    });

    it('from batch to batch, without reading a line again', async () => {
      const world = await PipelineWorld.open();
      const fixture = new CommunicatorFixture(world);
      const read: string[] = [];
      fixture.onRead = async id => read.push(id);
      const run = new StageRun<CommunicateSettings>(communicateSettings);
      const { stage, marked } = watched(fixture, run.tools);
      run.start(stage);
      for (const [i, [id, position]] of Object.entries({ A: 10, B: 20, C: 20, D: 30 }).entries()) {
        await offerAt(world, { [id]: position });
        await run.until(() => run.count('done') === i + 1);
      }
      expect(marked()).toEqual(['B', 'D']);
      expect(read).toEqual(['A', 'B', 'C', 'D']);
      run.unsubscribe();
    });

    it('over a restart', async () => {
      const world = await PipelineWorld.open();
      await offerAt(world, { A: 10 });
      expect(await reportAll(world, 1)).toEqual([]);
      await offerAt(world, { B: 20, C: 20 });
      expect(await reportAll(world, 2)).toEqual(['B']);
    });

    it('over a restart after which the image before is in the archive', async () => {
      const world = await PipelineWorld.open(undefined, { manifest: { liveEntries: 0, isSettled } });
      await offerAt(world, { A: 10 });
      expect(await reportAll(world, 1)).toEqual([]);
      await world.manifest.archive.takeSettled();
      expect(world.manifest.size).toBe(0);
      await offerAt(world, { B: 20 });
      expect(await reportAll(world, 1)).toEqual(['B']);
    });

    it('not since an image of another run, nor since one whose line is gone', async () => {
      const world = await PipelineWorld.open();
      await offerAt(world, { A: 10 });
      await offerAt(world, { B: 20 }, { run_id: 'another' });
      await offerAt(world, { C: 30 });
      expect(await reportAll(world, 3)).toEqual(['C']);
      const path = '/root/results/processing_results.jsonl';
      const content = Buffer.from(world.files.content(path)!);
      const { offset, length } = world.get('C').result!;
      world.files.put(path, content.fill('#', offset, offset + length - 1));
      await offerAt(world, { D: 40, E: 50 });
      expect(await reportAll(world, 2)).toEqual(['E']);
    });

    it('since the image before in the order of collection, also when that was overtaken', async () => {
      const world = await PipelineWorld.open();
      await offerAt(world, { A: 10 });
      await world.offer('B', 'C');
      const [b, c] = await world.manifest.claim('processor', 2);
      await settleAt(world, c!, 10);
      const run = new StageRun<CommunicateSettings>(communicateSettings);
      const { stage, marked } = watched(new CommunicatorFixture(world), run.tools);
      run.start(stage);
      await run.until(() => run.count('done') === 2, 5000);
      await settleAt(world, b!, 20);
      await run.until(() => run.count('done') === 3);
      // C stands in the table already, and keeps the flags that it was given.
      expect(marked()).toEqual(['B']);
      run.unsubscribe();
    });

    it('in the lines that are looked for after a crash, as they were reported', async () => {
      const world = await PipelineWorld.open();
      await offerAt(world, { A: 10 });
      await reportAll(world, 1);
      await offerAt(world, { B: 20, C: 20, D: 30 });
      const killed = new StageRun<CommunicateSettings>(communicateSettings);
      const fixture = new CommunicatorFixture(world);
      fixture.onReported = () => new Promise(() => undefined);
      const before = watched(fixture, killed.tools);
      killed.start(before.stage);
      await killed.until(() => fixture.rows.length === 3);
      const next = await PipelineWorld.open(world.files, { pid: 2, dead: [1] });
      const run = new StageRun<CommunicateSettings>(communicateSettings);
      const after = watched(new CommunicatorFixture(next, fixture.rows), run.tools);
      run.start(after.stage);
      await run.until(() => transmitted(next).length === 4);
      expect(before.marked()).toEqual(['B', 'D']);
      expect(after.recovered).toEqual(before.reported);
      expect(after.reported).toEqual([]);
      run.unsubscribe();
      killed.unsubscribe();
    });
  });
});
