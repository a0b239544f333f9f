import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Files } from '../../../src/files/files.ts';
import { CallGate, filesWithDeadline } from '../../../src/files/filesWithDeadline.ts';
import { type BackupSettings, backup } from '../../../src/operators/backup/backup.ts';
import type { RingBufferSettings } from '../../../src/operators/ringBuffer/ringBuffer.ts';
import { runStage } from '../../../src/operators/stage/runStage.ts';
import { archive, BackupWorld, backupFolder, backupSettings, settled } from '../../world/backupWorld.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { imageOf, RingBufferFixture, ringBufferSettings } from '../../world/ringBufferFixture.ts';
import { sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';
import { gate } from '../../world/stageWorld.ts';

describe('the backup', () => {
  beforeEach(useStillTime);
  const runs: StageRun<BackupSettings>[] = [];
  afterEach(async () => {
    for (const run of runs.splice(0)) {
      run.unsubscribe();
      await run.putAway();
    }
    vi.useRealTimers();
  });

  function begin(fixture: BackupWorld, settings: Partial<BackupSettings> = {}) {
    const run = new StageRun<BackupSettings>({ ...backupSettings, ...settings });
    runs.push(run);
    return run.start(fixture.stage(run.tools));
  }

  it('moves what is settled from the manifest to its folder, and leaves all else', async () => {
    const fixture = await BackupWorld.on();
    await fixture.manifest.offer([sampleEntry('waits'), settled('a'), settled('b')]);
    const run = begin(fixture);
    await run.until(() => run.count('done') === 1);
    expect(fixture.live()).toEqual(['waits']);
    expect(fixture.backups()).toEqual([
      expect.stringMatching(/^metadata_manifest_20250724_134513_entries\.1\.[0-9a-f]{8}\.jsonl\.gz$/),
    ]);
    expect([fixture.segments(), await fixture.archived()]).toEqual([[], ['a', 'b']]);
    expect(run.events.find(({ kind }) => kind === 'done')).toMatchObject({
      entryId: fixture.moved()[0],
      detail: { entries: 2, bytes: expect.any(Number), as: fixture.backups()[0] },
    });
  });

  it('works in rounds: one at the start, then one each interval, and what the manifest archived meanwhile goes with it', async () => {
    const fixture = await BackupWorld.on();
    const run = begin(fixture);
    await run.rest();
    await fixture.offerSegments(['a']);
    await fixture.manifest.offer([settled('b')]);
    await vi.advanceTimersByTimeAsync(backupSettings.intervalMs - 1);
    await run.rest();
    expect([fixture.backups(), fixture.live()]).toEqual([[], ['b']]);
    await vi.advanceTimersByTimeAsync(1);
    await run.until(() => run.count('done') === 2);
    expect([fixture.live(), await fixture.archived()]).toEqual([[], ['a', 'b']]);
  });

  it('writes nothing in a round with nothing to do', async () => {
    const fixture = await BackupWorld.on();
    await fixture.manifest.offer([sampleEntry('waits')]);
    const run = begin(fixture);
    await run.rest();
    const steps = fixture.files.steps.length;
    await vi.advanceTimersByTimeAsync(3 * backupSettings.intervalMs);
    await run.rest();
    expect(fixture.files.steps.length).toBe(steps);
  });

  it('does nothing when it is not enabled', async () => {
    const fixture = await BackupWorld.on();
    await fixture.manifest.offer([settled('a')]);
    const run = begin(fixture, { enabled: false });
    await run.rest();
    expect([run.told, fixture.live(), fixture.segments()]).toEqual([['off'], ['a'], []]);
  });

  it('tells of a damaged segment once, leaves it, and moves the others', async () => {
    const fixture = await BackupWorld.on();
    await fixture.offerSegments(['a', 'b']);
    const [first] = fixture.segments();
    fixture.files.put(`${archive}/${first}`, 'not a segment');
    const run = begin(fixture);
    await run.until(() => run.count('done') === 1);
    await vi.advanceTimersByTimeAsync(backupSettings.intervalMs);
    await run.rest();
    expect([run.count('failed'), run.count('alarm'), fixture.segments()]).toEqual([1, 0, [first]]);
  });

  it.each(['ENOSPC', 'EROFS', 'EACCES'])(
    'a folder that answers %s is an alarm and loses nothing; well again, it moves all',
    async code => {
      const fixture = await BackupWorld.on();
      fixture.files.plan = step => (step.path.startsWith(backupFolder) ? { error: code } : null);
      await fixture.manifest.offer([settled('a')]);
      const run = begin(fixture);
      await run.until(() => run.count('alarm') === 2, 500);
      await fixture.manifest.offer([settled('b')]);
      await run.until(() => run.count('alarm') === 3, 500);
      expect([run.status('backup').alarms, fixture.live(), await fixture.archived()]).toEqual([[code], [], ['a', 'b']]);
      fixture.files.plan = () => null;
      await run.until(() => fixture.segments().length === 0, 500);
      await run.rest();
      expect([run.status('backup').alarms, await fixture.archived()]).toEqual([[], ['a', 'b']]);
      expect(fixture.backups().every(name => name.endsWith('.gz'))).toBe(true);
    },
  );

  it('a folder that hangs, at any call, is an alarm after a minute; the manifest goes on, and all is moved once it answers', async () => {
    const calls: string[] = [];
    for (let hangsAt = 0; hangsAt === 0 || hangsAt <= calls.length; hangsAt++) {
      const files = new FaultyFiles();
      const door = gate();
      let count = 0;
      let blocked = 0;
      files.gate = async (call, path) => {
        if (!path.startsWith(backupFolder)) return;
        if (hangsAt === 0) calls.push(call);
        if (++count !== hangsAt) return;
        blocked++;
        await door.pass();
        blocked--;
      };
      const calling = new CallGate(60_000);
      const patient = (each: Files): Files => filesWithDeadline(each, calling, path => path.startsWith(backupFolder));
      const fixture = await BackupWorld.on(files, {}, patient);
      await fixture.manifest.offer([settled('a')]);
      const run = begin(fixture);
      if (hangsAt > 0) {
        await run.until(() => run.count('alarm') > 0, 10_000);
        expect([run.told.at(-1), blocked]).toEqual(['alarm ETIMEDOUT', 1]);
        await fixture.manifest.offer([settled('b')]);
        expect(await fixture.manifest.claim('processor', 1)).toEqual([]);
        await run.until(() => run.count('alarm') > 2, 10_000);
        expect(blocked).toBe(1);
        door.open();
      }
      await run.until(() => fixture.live().length === 0 && fixture.moved().length > 0, 10_000);
      await run.until(() => fixture.segments().length === 0 && run.status('backup').alarms.length === 0, 10_000);
      files.gate = null;
      const whole = hangsAt > 0 ? ['a', 'b'] : ['a'];
      expect([(await fixture.archived()).sort(), fixture.live()]).toEqual([whole, []]);
      run.unsubscribe();
      await run.putAway();
    }
    expect(calls.length).toBeGreaterThan(10);
  }, 30_000);

  it('a folder whose disk is gone is an alarm, not a place to begin anew', async () => {
    const fixture = await BackupWorld.on();
    await fixture.offerSegments(['a']);
    const run = begin(fixture);
    await run.until(() => run.count('done') === 1);
    await fixture.files.remove(`${backupFolder}/${fixture.backups()[0]}`);
    await fixture.manifest.offer([settled('b')]);
    await run.until(() => run.count('alarm') > 0, backupSettings.intervalMs);
    expect(run.events.find(({ kind }) => kind === 'alarm')).toMatchObject({
      key: 'ENOENT',
      message: expect.stringContaining('is its disk mounted?'),
    });
    expect([fixture.backups(), fixture.segments().length]).toEqual([[], 1]);
  });

  it('removes what a killed process left in its folder', async () => {
    const fixture = await BackupWorld.on();
    const stray = `${backupFolder}/metadata_manifest_x.gz.99-01234567.tmp`;
    fixture.files.put(stray, 'half');
    const run = begin(fixture);
    await run.rest();
    expect(fixture.files.content(stray)).toBe(null);
  });

  it('and the ring buffer: what is moved stays the oldest, is removed once, and every entry is there once', async () => {
    const world = await PipelineWorld.open();
    const ring = new RingBufferFixture(world);
    const intervalMs = 7_000;
    const run = new StageRun<BackupSettings>({ ...backupSettings, intervalMs });
    const removing = new StageRun<RingBufferSettings>({ ...ringBufferSettings, size: 4 });
    runs.push(run);
    const ids = Array.from({ length: 24 }, (_, i) => `e${String(i).padStart(2, '0')}`);
    await ring.offerSettled(ids.slice(0, 6));
    const { manifest, files } = world;
    const experiment = { tools: run.tools, archive: manifest.archive, backupFiles: files, isAlive: () => false };
    run.start(runStage(backup, experiment, run.tools));
    removing.start(ring.stage(removing.tools));
    for (let at = 6; at < ids.length; at += 3) {
      await ring.offerSettled(ids.slice(at, at + 3));
      await run.until(() => ring.images().length === 4, 500);
      await vi.advanceTimersByTimeAsync(intervalMs / 2);
      await run.rest();
    }
    await run.until(() => manifest.size === 0, 500);
    await run.rest();
    expect(ring.images()).toEqual(ids.slice(-4).map(imageOf));
    const last = new Map<string, boolean | undefined>();
    for await (const { entry_id: id, image_local: isLocal } of manifest.archive.entries()) last.set(id, isLocal);
    expect([...last.keys()].sort()).toEqual(ids);
    expect(
      [...last]
        .filter(([, isLocal]) => isLocal === false)
        .map(([id]) => id)
        .sort(),
    ).toEqual(ids.slice(0, -4));
    expect([run.count('alarm'), removing.count('alarm'), ring.notes]).toEqual([0, 0, []]);
    removing.unsubscribe();
    await removing.putAway();
  });
});
