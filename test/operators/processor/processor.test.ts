import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RoiOutsideFrameError } from '../../../src/analysis/roiOutsideFrameError.ts';
import { WorkerDiedError } from '../../../src/analysis/workerDiedError.ts';
import { contentHash } from '../../../src/files/contentHash.ts';
import { BadImageError } from '../../../src/image/badImageError.ts';
import type { ProcessSettings } from '../../../src/operators/processor/processor.ts';
import { composeResultLine } from '../../../src/sinks/results/composeResultLine.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { PipelineWorld, resultHead } from '../../world/pipelineWorld.ts';
import { ProcessorFixture, processSettings } from '../../world/processorFixture.ts';
import { sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';
import { failure, gate } from '../../world/stageWorld.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

async function prepare(
  settings: Partial<ProcessSettings> = {},
): Promise<{ world: PipelineWorld; fixture: ProcessorFixture; run: StageRun<ProcessSettings> }> {
  const world = await PipelineWorld.open();
  return { world, fixture: new ProcessorFixture(world), run: new StageRun({ ...processSettings, ...settings }) };
}

describe('process', () => {
  it('analyses what is pending: the line first, then the entry, which names the attempt and the place', async () => {
    const { world, fixture, run } = await prepare();
    await world.offer('A', 'B');
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 2);
    expect(await world.lines()).toEqual([
      { id: 'A', attempt: 1, error: null },
      { id: 'B', attempt: 1, error: null },
    ]);
    const { processing_status, processing_error, attempt, result, claims } = world.get('B');
    expect({ processing_status, processing_error, attempt, claims }).toEqual({
      processing_status: 'processed',
      processing_error: false,
      attempt: 1,
      claims: {},
    });
    expect(await world.log.read(result!)).toMatchObject({
      entry_id: 'B',
      config_hash: processSettings.configHash,
      roi_manifest_hash: contentHash(processSettings.roiManifestText!),
    });
    expect(run.events.find(event => event.kind === 'done')).toMatchObject({
      entryId: 'A',
      detail: { image: 'image_A.png', rois: 1, rows: 2, rejected: 1, brightness: 1, contrast: 2 },
    });
    expect(fixture.jobs[0]).toMatchObject({ path: '/root/data/20250724/image_A.png', method: 'gaussian' });
    run.unsubscribe();
  });

  it('takes what comes later at once, and looks by itself now and then', async () => {
    const { world, fixture, run } = await prepare();
    run.start(fixture.stage(run.tools));
    await run.rest();
    await world.offer('A');
    await run.until(() => run.count('done') === 1);
    expect(vi.getTimerCount()).toBe(1);
    run.unsubscribe();
  });

  it('claims two more than it has workers, and no more', async () => {
    const { world, fixture, run } = await prepare();
    const door = gate();
    fixture.onAnalyse = () => door.pass();
    await world.offer(...'ABCDEF');
    run.start(fixture.stage(run.tools));
    await run.until(() => fixture.jobs.length === 4);
    await run.rest();
    expect(world.claimed('processor')).toEqual(['A', 'B', 'C', 'D']);
    expect(world.get('A').claims.processor).toMatchObject({ segment: 0, length: 0 });
    door.open();
    await run.until(() => run.count('done') === 6);
    run.unsubscribe();
  });

  it('takes the pixels of a frame that was just captured once, and else has the file decoded', async () => {
    const { world, fixture, run } = await prepare();
    const pixels = { width: 4, height: 2, depth: 8, data: new Uint8Array(8) } as const;
    fixture.freshFrames.keep('B', pixels);
    let died = false;
    fixture.onAnalyse = async id => {
      if (id !== 'B' || died) return;
      died = true;
      throw new WorkerDiedError('/x', 'out of memory');
    };
    await world.offer('A', 'B');
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 2);
    const given = fixture.jobs.map(({ path, pixels: own }) => [path.split('_').at(-1), own ?? null]);
    expect(given.sort()).toEqual([
      ['A.png', null],
      ['B.png', null],
      ['B.png', pixels],
    ]);
    run.unsubscribe();
  });

  describe('an image', () => {
    it.each([
      ['that is none', new BadImageError('/x', 'is no image')],
      ['that vanished a moment ago', failure('ENOENT')],
      ['that may not be read', failure('EACCES')],
    ])('%s fails by itself, and has a line that says so', async (_what, error) => {
      const { world, fixture, run } = await prepare();
      fixture.onAnalyse = async id => {
        if (id === 'A') throw error;
      };
      await world.offer('A', 'B');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') + run.count('failed') === 2);
      expect(world.get('A')).toMatchObject({
        processing_status: 'failed',
        processing_error: true,
        processing_error_msg: error.message,
        claims: {},
      });
      expect((await world.lines()).find(({ id }) => id === 'A')).toEqual({ id: 'A', attempt: 1, error: error.message });
      expect(world.get('B').processing_status).toBe('processed');
      expect(run.count('alarm')).toBe(0);
      run.unsubscribe();
    });

    it.each([
      ['is not there', { filename: 'none.png' }],
      ['has a name with a folder in it', { filename: '../../etc/passwd' }],
      ['has a name that no disk takes', { filename: `${'x'.repeat(300)}.png` }],
      ['is a folder', { filename: '20250724', filepath: '/root/data' }],
      ['has no name', { filename: '' }],
    ])('that %s fails by itself', async (_what, camera) => {
      const { world, fixture, run } = await prepare();
      const stat = world.files.stat.bind(world.files);
      world.files.stat = async path => {
        if (path.length > 300) throw failure('ENAMETOOLONG');
        return stat(path);
      };
      const entry = sampleEntry('A');
      await world.manifest.offer([{ ...entry, camera_data: { ...entry.camera_data!, ...camera } }]);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('failed') === 1);
      expect(world.get('A').processing_status).toBe('failed');
      expect(fixture.jobs).toEqual([]);
      run.unsubscribe();
    });

    it('whose folder is gone is not to blame: a disk may have vanished', async () => {
      const { world, fixture, run } = await prepare();
      const entry = sampleEntry('A');
      await world.manifest.offer([{ ...entry, camera_data: { ...entry.camera_data!, filepath: '/mnt/usb/old' } }]);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      expect(run.events.at(-1)).toMatchObject({ key: 'ENOENT', message: expect.stringContaining('/mnt/usb/old') });
      expect(world.get('A')).toMatchObject({ processing_status: 'pending', claims: {} });
      world.files.put('/mnt/usb/old/image_A.png', 'pixels');
      await run.until(() => run.count('done') === 1, 500);
      expect(run.status('processor').alarms).toEqual([]);
      run.unsubscribe();
    });

    it('on which three workers died has failed; the first two times it waits again', async () => {
      const { world, fixture, run } = await prepare();
      fixture.onAnalyse = async id => {
        if (id === 'A') throw new WorkerDiedError('A', 'out of memory');
      };
      await world.offer('A', 'B');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('failed') === 1);
      expect(run.count('discarded')).toBe(2);
      expect(world.get('A')).toMatchObject({ processing_status: 'failed', attempt: 3, worker_deaths: 2 });
      expect(world.get('A').processing_error_msg).toMatch(/3 times.*out of memory/);
      expect(run.status('processor')).toMatchObject({ in_flight: 0, done: 1, failed: 1, discarded: 2, alarms: [] });
      run.unsubscribe();
    });
  });

  it('an image that the process died of again and again has failed, with a result line that says so, and is not looked at', async () => {
    const { world, fixture, run } = await prepare();
    await world.offer('A', 'B');
    const [poison] = await world.manifest.claim('processor', 1);
    const process_deaths = { processor: { boot_id: poison!.claims.processor!.boot_id, count: 4 } };
    await world.manifest.release([poison!], 'processor', { process_deaths });
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('failed') === 1 && run.count('done') === 1);
    expect(fixture.jobs).toHaveLength(1);
    expect(world.get('A')).toMatchObject({
      processing_status: 'failed',
      processing_error_msg: expect.stringContaining('the process died 4 times'),
    });
    run.unsubscribe();
  });

  describe('an image that may still be written', () => {
    const path = '/root/data/20250724/image_A.png';
    const bad = new BadImageError('image_A.png', 'is cut off');

    /** Only the file of A has times of its own; all others are as old as can be. */
    async function prepareWriting(modifiedAt: number): Promise<Awaited<ReturnType<typeof prepare>> & { grow(): void }> {
      const prepared = await prepare();
      const { files } = prepared.world;
      const file = { size: 6, mtimeMs: modifiedAt };
      const stat = files.stat.bind(files);
      files.stat = async asked => {
        const found = await stat(asked);
        return found && asked === path ? { ...found, ...file } : found;
      };
      const grow = (): void => {
        file.size += 10;
        file.mtimeMs = Date.now();
      };
      await prepared.world.offer('A');
      return { ...prepared, grow };
    }

    it('is left alone while it grows, and analysed again when it rests', async () => {
      const { world, fixture, run, grow } = await prepareWriting(Date.now());
      let finished = false;
      fixture.onAnalyse = async () => {
        if (!finished) throw bad;
      };
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.jobs.length === 1);
      for (let i = 0; i < 5; i++) {
        await vi.advanceTimersByTimeAsync(700);
        grow();
      }
      finished = true;
      expect(fixture.jobs).toHaveLength(1);
      await run.until(() => run.count('done') === 1, 100);
      expect(fixture.jobs).toHaveLength(2);
      expect(world.get('A')).toMatchObject({ processing_status: 'processed', attempt: 1 });
      expect(run.count('failed') + run.count('alarm')).toBe(0);
      run.unsubscribe();
    });

    it.each([
      ['a moment ago', 0],
      ['in a moment, by a clock that runs ahead', 1000],
    ])('and was modified %s has failed when it rests and is still bad: after one wait', async (_when, ahead) => {
      const { world, fixture, run } = await prepareWriting(Date.now() + ahead);
      fixture.onAnalyse = () => Promise.reject(bad);
      const begun = Date.now();
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('failed') === 1, 100);
      expect(Date.now() - begun).toBeLessThan(1500);
      expect(fixture.jobs).toHaveLength(2);
      expect(world.get('A')).toMatchObject({ processing_status: 'failed', processing_error_msg: bad.message });
      expect(await world.lines()).toEqual([{ id: 'A', attempt: 1, error: bad.message }]);
      run.unsubscribe();
    });

    it.each([
      ['long ago', -3_600_000],
      ['far in the future', 3_600_000],
    ])('but was modified %s fails at once', async (_when, ahead) => {
      const { fixture, run } = await prepareWriting(Date.now() + ahead);
      fixture.onAnalyse = () => Promise.reject(bad);
      const begun = Date.now();
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('failed') === 1);
      expect(Date.now()).toBe(begun);
      expect(fixture.jobs).toHaveLength(1);
      run.unsubscribe();
    });

    it('is known by its growth where the clock tells nothing', async () => {
      const { fixture, run, grow } = await prepareWriting(0);
      let jump = 0;
      run.tools.clock = { now: () => Date.now() + jump, monotonic: () => Date.now() };
      fixture.onAnalyse = async () => {
        if (fixture.jobs.length > 1) return;
        grow();
        jump = 86_400_000;
        throw bad;
      };
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1, 100);
      expect(fixture.jobs).toHaveLength(2);
      run.unsubscribe();
    });

    it('does not keep its place for ever when it never rests', async () => {
      const { fixture, run, grow } = await prepareWriting(Date.now());
      fixture.onAnalyse = () => Promise.reject(bad);
      const begun = Date.now();
      run.start(fixture.stage(run.tools));
      const growing = setInterval(grow, 300);
      await run.until(() => run.count('failed') === 1, 500);
      clearInterval(growing);
      expect(Date.now() - begun).toBeGreaterThan(55_000);
      expect(Date.now() - begun).toBeLessThan(70_000);
      run.unsubscribe();
    });

    it('does not either when it rests now and then, and has changed at every look', async () => {
      const { fixture, run, grow } = await prepareWriting(Date.now());
      fixture.onAnalyse = async () => {
        grow();
        throw bad;
      };
      const begun = Date.now();
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('failed') === 1, 500);
      expect(fixture.jobs.length).toBeGreaterThan(10);
      expect(Date.now() - begun).toBeLessThan(70_000);
      run.unsubscribe();
    });

    it('is not waited for when something else is wrong', async () => {
      const { fixture, run } = await prepareWriting(Date.now());
      fixture.onAnalyse = () => Promise.reject(failure('EIO'));
      const begun = Date.now();
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      expect(Date.now()).toBe(begun);
      expect(fixture.jobs).toHaveLength(1);
      run.unsubscribe();
    });

    it('and is gone after the wait fails by itself, and says so', async () => {
      const { world, fixture, run } = await prepareWriting(Date.now());
      fixture.onAnalyse = async () => {
        throw fixture.jobs.length === 1 ? bad : failure('ENOENT');
      };
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.jobs.length === 1);
      await world.files.remove(path);
      await run.until(() => run.count('failed') === 1, 100);
      expect(world.get('A').processing_error_msg).toContain('ENOENT');
      run.unsubscribe();
    });

    it('keeps no other waiting', async () => {
      const { world, fixture, run } = await prepareWriting(Date.now());
      fixture.onAnalyse = id => (id === 'A' ? Promise.reject(bad) : Promise.resolve());
      await world.offer('B', 'C', 'D', 'E');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 4);
      expect(run.count('failed')).toBe(0);
      run.unsubscribe();
    });

    it('is released when the stage is cut off while it waits, and no timer is left', async () => {
      const { world, fixture, run } = await prepareWriting(Date.now());
      fixture.onAnalyse = () => Promise.reject(bad);
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.jobs.length === 1);
      await run.rest();
      expect(vi.getTimerCount()).toBe(2);
      run.unsubscribe();
      await run.putAway();
      expect(vi.getTimerCount()).toBe(0);
      expect(world.get('A')).toMatchObject({ processing_status: 'pending', claims: {} });
      expect(await world.lines()).toEqual([]);
      expect(fixture.jobs).toHaveLength(1);
    });

    it('does not begin a wait when the stage was cut off just before', async () => {
      const { world, fixture, run } = await prepareWriting(Date.now());
      fixture.onAnalyse = () => Promise.reject(bad);
      const looking = gate();
      const stat = world.files.stat;
      world.files.stat = async asked => {
        if (asked === path && fixture.jobs.length === 1) await looking.pass();
        return stat(asked);
      };
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.jobs.length === 1);
      await run.rest();
      run.unsubscribe();
      looking.open();
      await run.rest();
      expect(vi.getTimerCount()).toBe(0);
      await run.putAway();
      expect(world.get('A')).toMatchObject({ processing_status: 'pending', claims: {} });
    });
  });

  it('a chip that has moved stands in the result line, rounded; beyond the limit in two frames it is an alarm', async () => {
    const { world, fixture, run } = await prepare();
    fixture.chipShift = { dx: 3.00049, dy: -1, angle: 0.012345 };
    await world.offer('A', 'B');
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 2);
    const shifts = [];
    for await (const { line } of world.log.lines()) shifts.push(line.chip_shift);
    expect(shifts).toEqual(Array(2).fill({ dx: 3, dy: -1, angle: 0.0123 }));
    expect(run.events.filter(({ kind }) => kind === 'alarm')).toMatchObject([
      { key: 'ChipMoved', message: expect.stringMatching(/^the chip has moved by 3\.2 px .* stay where they are/) },
    ]);
    expect(fixture.jobs[0]).toMatchObject({ followChip: false });
    run.unsubscribe();
  });

  it('a light that is out is an alarm after as many frames as are set, though each frame is done', async () => {
    const { world, fixture, run } = await prepare({ lostFramesLimit: 3 });
    fixture.seen = [false];
    await world.offer(...'ABC');
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 3);
    expect(run.events.filter(({ kind }) => kind === 'alarm')).toMatchObject([
      {
        key: 'RoisLost',
        message: expect.stringMatching(
          /^1 of 1 ROIs are lost .* in 3 frames, .* since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d;/,
        ),
      },
    ]);
    run.unsubscribe();
  });

  describe('ROIs that lie outside', () => {
    const outside = new RoiOutsideFrameError('A', 'ROI A lies outside');

    it('of the very first frame are an alarm: the ROI manifest is wrong, the images are not', async () => {
      const { world, fixture, run } = await prepare();
      fixture.onAnalyse = () => Promise.reject(outside);
      await world.offer('A', 'B');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 2, 500);
      expect(run.events.find(({ kind }) => kind === 'alarm')).toMatchObject({
        message: '/root/ROI_manifest.json: ROI A lies outside',
      });
      expect(world.ids(entry => entry.processing_status === 'pending')).toEqual(['A', 'B']);
      expect(await world.lines()).toEqual([]);
      run.unsubscribe();
    });

    it('of the very first frame are its own fault when they fit one that is analysed with it', async () => {
      const { world, fixture, run } = await prepare();
      const second = Promise.withResolvers<void>();
      fixture.onAnalyse = id => (id === 'A' ? Promise.reject(outside) : second.promise);
      await world.offer('A', 'B');
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.jobs.length === 2);
      await run.rest();
      expect([run.count('failed'), run.count('alarm')]).toEqual([0, 0]);
      second.resolve();
      await run.until(() => run.count('done') === 1 && run.count('failed') === 1);
      expect(world.get('A')).toMatchObject({
        processing_status: 'failed',
        processing_error_msg: 'image_A.png: ROI A lies outside',
      });
      expect(world.get('B')).toMatchObject({ processing_status: 'processed' });
      expect(run.count('alarm')).toBe(0);
      run.unsubscribe();
    });

    it('do not keep a frame waiting for the verdict when the stage is cut off', async () => {
      const { world, fixture, run } = await prepare();
      fixture.onAnalyse = id => (id === 'A' ? Promise.reject(outside) : new Promise(() => undefined));
      await world.offer('A', 'B');
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.jobs.length === 2);
      run.unsubscribe();
      await run.rest();
      expect(world.ids(entry => entry.processing_status === 'pending')).toEqual(['A', 'B']);
    });

    it('of a frame are its own fault once they have fitted another, also after a failure between the two', async () => {
      const { world, fixture, run } = await prepare();
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      fixture.onAnalyse = () => Promise.reject(failure('EIO'));
      await world.offer('B');
      await run.until(() => run.count('alarm') === 1);
      fixture.onAnalyse = () => Promise.reject(outside);
      await run.until(() => run.count('failed') === 1, 500);
      expect(world.get('B').processing_error_msg).toBe('image_B.png: ROI A lies outside');
      run.unsubscribe();
    });

    it('are an alarm again after another ROI manifest', async () => {
      const { world, fixture, run } = await prepare();
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      fixture.onAnalyse = () => Promise.reject(outside);
      run.settings$.next({ ...processSettings, roiManifestText: `${processSettings.roiManifestText} ` });
      await world.offer('B');
      await run.until(() => run.count('alarm') === 1);
      expect(run.status('processor').alarms).toEqual(['RoiOutsideFrameError']);
      run.unsubscribe();
    });
  });

  describe('frames of another size than the ROI manifest was used for', () => {
    const large = { width: 8, height: 4 };

    it('fail with the reason, though the ROIs lie in them; three in a row are an alarm, until one is right again', async () => {
      const { world, fixture, run } = await prepare();
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      for (const id of ['B', 'C', 'D']) {
        fixture.sizes[id] = large;
        expect(run.count('alarm')).toBe(0);
        await world.offer(id);
        await run.until(() => world.get(id).processing_status === 'failed');
      }
      expect(world.get('B').processing_error_msg).toBe(
        'image_B.png: a frame of 8×4 pixels, but /root/ROI_manifest.json has been used for frames of 4×2; ' +
          'frames of another size need a ROI manifest of their own',
      );
      expect(run.events.find(({ kind }) => kind === 'alarm')).toMatchObject({
        key: 'FrameSize',
        message: expect.stringMatching(/^the frames now have another size: a frame of 8×4 pixels, but/),
      });
      await world.offer('E');
      await run.until(() => run.count('well') === 1);
      expect(run.status('processor').alarms).toEqual([]);
      run.unsubscribe();
    });

    it('are known after a restart, and are right with another ROI manifest', async () => {
      const { world, fixture, run } = await prepare();
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      run.unsubscribe();
      await run.rest();
      fixture.sizes.B = fixture.sizes.C = large;
      run.start(fixture.stage(run.tools));
      await world.offer('B');
      await run.until(() => run.count('failed') === 1);
      run.settings$.next({ ...processSettings, roiManifestText: `${processSettings.roiManifestText} ` });
      await world.offer('C');
      await run.until(() => run.count('done') === 2);
      run.unsubscribe();
    });

    it('are the odd ones where most of the first frames have one size, whichever came first', async () => {
      const { world, fixture, run } = await prepare();
      fixture.sizes.A = large;
      await world.offer('A', 'B', 'C');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 2 && run.count('failed') === 1);
      expect(world.get('A').processing_status).toBe('failed');
      run.unsubscribe();
    });

    it('are found anew where the file of sizes is damaged', async () => {
      const { world, fixture, run } = await prepare();
      world.files.put('/root/frame_sizes.json', '{"c');
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      run.unsubscribe();
    });
  });

  describe('the stage', () => {
    it('waits without an ROI manifest, says which, and is well as soon as there is one', async () => {
      const { world, fixture } = await prepare();
      const run = new StageRun<ProcessSettings>({ ...processSettings, roiManifestText: null });
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.rest();
      expect(run.events.at(-1)).toMatchObject({
        kind: 'alarm',
        key: 'ENOENT',
        message: expect.stringContaining('/root/ROI_manifest.json'),
      });
      expect([fixture.open, world.waiting('processor')]).toEqual([0, 1]);
      run.settings$.next({ ...processSettings, roiManifestText: '{ broken' });
      await run.rest();
      expect(run.status('processor').alarms).toHaveLength(1);
      run.settings$.next(processSettings);
      await run.until(() => run.count('done') === 1);
      expect(run.status('processor').alarms).toEqual([]);
      run.unsubscribe();
    });

    it.each(['ENOSPC', 'EIO'])('fails with the results log (%s), releases all, and goes on', async code => {
      const { world, fixture, run } = await prepare();
      world.onAppend = () => Promise.reject(failure(code));
      await world.offer('A', 'B', 'C');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      expect(world.claimed('processor')).toEqual([]);
      expect(run.status('processor')).toMatchObject({ in_flight: 0, failed: 0, alarms: [code] });
      world.onAppend = async () => undefined;
      await run.until(() => run.count('done') === 3, 500);
      expect(run.status('processor').alarms).toEqual([]);
      expect(fixture.maxOpen).toBe(1);
      run.unsubscribe();
    });

    it('comes back to entries that it could not even release when the disk was full', async () => {
      const { world, fixture, run } = await prepare();
      await world.offer('A', 'B');
      const full = gate();
      fixture.onAnalyse = () => full.pass();
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.jobs.length === 2);
      world.files.plan = ({ kind }) => (kind === 'write' ? { error: 'ENOSPC' } : null);
      full.open();
      await run.until(() => run.count('alarm') === 1);
      expect(world.claimed('processor')).toEqual(['A', 'B']);
      world.files.plan = () => null;
      run.upstreamDone$.next();
      run.settings$.complete();
      await run.until(() => run.complete, 500);
      expect(run.count('done')).toBe(2);
      expect(world.ids(entry => entry.processing_status === 'processed')).toEqual(['A', 'B']);
    });

    it('fails when its analysis does, not its images', async () => {
      const { world, fixture, run } = await prepare();
      fixture.onAnalyse = () => Promise.reject(new Error('the analysis threads do not start'));
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('alarm') === 1);
      expect(world.get('A').processing_status).toBe('pending');
      run.unsubscribe();
    });

    it('lets the workers finish when it drains, and ends them when it is cut short', async () => {
      const { world, fixture, run } = await prepare();
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      run.stop$.next();
      await run.until(() => run.complete);
      expect(fixture.log).toEqual(['close']);
      const again = new StageRun(processSettings);
      again.start(fixture.stage(again.tools));
      await again.rest();
      again.unsubscribe();
      await again.putAway();
      expect(fixture.log).toEqual(['close', 'destroy']);
    });

    it('settles nothing once it is cut short: neither a result nor a failure that comes late', async () => {
      for (const ending of ['result', 'failure', 'death'] as const) {
        const { world, fixture, run } = await prepare();
        const appending = gate();
        world.onAppend = () => appending.pass();
        fixture.onAnalyse = async () => {
          if (ending === 'failure') throw new BadImageError('/x', 'is no image');
          if (ending === 'death') throw new WorkerDiedError('/x', 'out of memory');
        };
        await world.offer('A');
        await world.manifest.claim('processor', 1);
        await world.manifest.release([world.get('A')], 'processor', { worker_deaths: 2 });
        run.start(fixture.stage(run.tools));
        await run.until(() => fixture.jobs.length === 1);
        run.unsubscribe();
        appending.open();
        await run.putAway();
        expect(world.get('A')).toMatchObject({ processing_status: 'pending', claims: {} });
      }
    });

    it('tells when another process has taken its claim over meanwhile, and whose outcome counts', async () => {
      const { world, fixture, run } = await prepare();
      const door = gate();
      fixture.onAnalyse = () => door.pass();
      await world.offer('A');
      run.start(fixture.stage(run.tools));
      await run.until(() => fixture.jobs.length === 1);
      await world.manifest.release([world.get('A')], 'processor');
      await world.settleProcessed((await world.manifest.claim('processor', 1))[0]!);
      const counts = world.get('A').result;
      door.open();
      await run.until(() => run.count('discarded') === 1);
      expect(world.get('A')).toMatchObject({ processing_status: 'processed', attempt: 2, result: counts });
      expect(run.status('processor').in_flight).toBe(0);
      run.unsubscribe();
    });
  });

  describe('what a process that is gone has left', () => {
    it('is settled from its result line where that was written, else it waits again', async () => {
      const before = await PipelineWorld.open();
      await before.offer('A', 'B', 'C', 'D');
      const claimed = await before.manifest.claim('processor', 3, { place: await before.log.position() });
      await before.log.append(composeResultLine(resultHead(claimed[0]!), null));
      const bad = { ...resultHead(claimed[1]!), processing_successful: false, processing_error_message: 'is no image' };
      await before.log.append(composeResultLine(bad, null));

      const world = await PipelineWorld.open(before.files, { pid: 2, dead: [1] });
      const fixture = new ProcessorFixture(world);
      const run = new StageRun(processSettings).start(fixture.stage(new StageRun(processSettings).tools));
      await run.until(() => run.count('done') === 2);
      expect(fixture.jobs.map(({ path }) => path.at(-5))).toEqual(['C', 'D']);
      expect(world.get('A')).toMatchObject({ processing_status: 'processed', attempt: 1, claims: {} });
      expect((await world.log.read(world.get('A').result!)).entry_id).toBe('A');
      expect(world.get('B')).toMatchObject({ processing_status: 'failed', processing_error_msg: 'is no image' });
      expect(world.get('C')).toMatchObject({ processing_status: 'processed', attempt: 2 });
      run.unsubscribe();
    });

    it('does not touch what a living process works on', async () => {
      const before = await PipelineWorld.open();
      await before.offer('A', 'B');
      await before.manifest.claim('processor', 1, { place: await before.log.position() });
      const world = await PipelineWorld.open(before.files, { pid: 2 });
      const fixture = new ProcessorFixture(world);
      const run = new StageRun(processSettings);
      run.start(fixture.stage(run.tools));
      await run.until(() => run.count('done') === 1);
      await run.rest();
      expect(world.claimed('processor')).toEqual(['A']);
      run.unsubscribe();
    });
  });
});
