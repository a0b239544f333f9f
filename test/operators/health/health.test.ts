import { tap } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { diskSpaceOf } from '../../../src/files/diskSpace.ts';
import type { HealthSettings } from '../../../src/operators/health/health.ts';
import { settleProcessorOrphans } from '../../../src/operators/processor/settleProcessorOrphans.ts';
import { composeResultLine } from '../../../src/sinks/results/composeResultLine.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { atEveryCrash } from '../../world/faultyFiles.ts';
import { HealthWorld, healthSettings, reportsOf, samplePipeline } from '../../world/healthWorld.ts';
import { PipelineWorld, resultHead } from '../../world/pipelineWorld.ts';
import { identity } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';
import { failure } from '../../world/stageWorld.ts';
import { describeStage } from '../stage/stageCompliance.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

describeStage<HealthSettings>('the health stage', async () => {
  const fixture = new HealthWorld();
  let rounds = 0;
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  fixture.onLook = async () => {
    await door;
    if (broken !== null) throw failure(broken);
  };
  const finished: string[] = [];
  return {
    name: 'health',
    settings: healthSettings,
    other: { ...healthSettings, sensors: ['Sensor 1'] },
    stage: tools => source =>
      fixture
        .stage(tools)(source)
        .pipe(
          // Every round finished is told of; a round has no id that outlives it.
          tap(event => event.kind === 'done' && finished.push(`round ${rounds++}`)),
        ),
    offer: async () => undefined,
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      fixture.onOpen = () => {
        if (code !== null) throw failure(code);
      };
    },
    finished: () => finished,
    claimed: () => [],
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'stop',
    // Less than a round: one at a time.
    tickMs: healthSettings.intervalMs / 2,
  };
});

function prepare(settings: Partial<HealthSettings> = {}) {
  const fixture = new HealthWorld();
  const run = new StageRun<HealthSettings>({ ...healthSettings, ...settings });
  run.start(fixture.stage(run.tools));
  const rounds = (): number => reportsOf(run.events).length;
  /** Lets a round go by. */
  const round = async (): Promise<void> => {
    const before = rounds();
    if (before > 0) await vi.advanceTimersByTimeAsync(healthSettings.intervalMs);
    await run.until(() => rounds() > before);
  };
  const report = () => reportsOf(run.events).at(-1)!;
  const keys = (): string[] => report().findings.map(({ key }) => key);
  const alarms = (): string[] => run.events.flatMap(event => (event.kind === 'alarm' ? [event.message] : []));
  return { fixture, run, round, report, keys, alarms };
}

describe('the health stage', () => {
  it('looks once a round, and says that all is well', async () => {
    const { run, round, report } = prepare();
    for (let i = 0; i < 3; i++) await round();
    expect(reportsOf(run.events)).toHaveLength(3);
    expect(report()).toMatchObject({ light: 'green', findings: [], missed_frames: 0, released_claims: 0 });
    expect(report().stages.processor).toEqual({ light: 'green', word: 'running' });
    expect(report().stages.syncer).toEqual({ light: 'grey', word: 'not run' });
    expect([run.count('alarm'), run.count('done')]).toEqual([0, 3]);
    run.unsubscribe();
  });

  it('has several alarms at once, each well again by itself', async () => {
    const { fixture, run, round, keys } = prepare();
    fixture.space = { free: 0.5e9, size: 100e9 };
    fixture.pipeline = samplePipeline({ processor: { late: 'hung' } });
    await round();
    expect(keys()).toEqual(['disk', 'processor']);
    expect(run.status('health').alarms).toEqual(['disk', 'processor']);
    await round();
    // What stands is not told again.
    expect(run.count('alarm')).toBe(2);
    fixture.pipeline = samplePipeline();
    await round();
    expect(run.told.filter(told => told.startsWith('well'))).toEqual(['well processor']);
    fixture.space = { free: 50e9, size: 100e9 };
    await round();
    expect(run.status('health').alarms).toEqual([]);
    run.unsubscribe();
  });

  it('keeps what it has found beside the alarm for a failure of its own', async () => {
    const { fixture, run, round } = prepare();
    fixture.space = { free: 0.5e9, size: 100e9 };
    await round();
    fixture.onLook = () => Promise.reject(failure('EIO'));
    await vi.advanceTimersByTimeAsync(healthSettings.intervalMs);
    await run.until(() => run.count('alarm') === 2);
    expect(run.status('health').alarms).toEqual(['disk', 'EIO']);
    fixture.onLook = async () => undefined;
    await run.until(() => run.told.includes('well EIO'), 500);
    expect(run.status('health').alarms).toEqual(['disk']);
    run.unsubscribe();
  });

  it('watches by its newest settings, and keeps what is still wrong', async () => {
    const { fixture, run, round, keys } = prepare();
    fixture.space = { free: 0.5e9, size: 100e9 };
    fixture.pipeline = samplePipeline({ processor: { late: 'hung' } });
    await round();
    expect(keys()).toEqual(['disk', 'processor']);
    run.settings$.next({ ...healthSettings, minFreeDisk: { kind: 'bytes', bytes: 0.5e9, text: '0.5 GB' } });
    await round();
    expect(keys()).toEqual(['processor']);
    expect(run.told.filter(told => /^(alarm|well)/.test(told))).toEqual(['alarm disk', 'alarm processor', 'well disk']);
    run.unsubscribe();
  });

  it.each(['paused', 'off'] as const)('takes back what it has found when it is %s', async how => {
    const { fixture, run, round } = prepare();
    fixture.space = null;
    await round();
    if (how === 'paused') run.paused$.next(true);
    else run.settings$.next({ ...healthSettings, enabled: false });
    await run.until(() => run.told.at(-1) === how);
    expect(run.told.slice(-2)).toEqual(['well disk', how]);
    run.unsubscribe();
  });

  describe('claims of processes that are gone', () => {
    it('are ended where the stage says how, left to the stage where not, and the process is told of', async () => {
      const { fixture, round, report, alarms } = prepare();
      fixture.crashed(4711, { processor: 3, communicator: 16 });
      await round();
      expect([fixture.orphans.processor, fixture.orphans.communicator?.length]).toEqual([[], 16]);
      expect(report().released_claims).toBe(3);
      expect(alarms()).toEqual([
        'process 4711 on pi ended without a word; it had images in work: processor 3, communicator 16',
      ]);
      fixture.orphans.communicator = [];
      for (let i = 0; i < 20; i++) await round();
      expect(report().findings).toEqual([]);
    });

    it('that can not be ended are an alarm, and the rest of the round goes on', async () => {
      const { fixture, round, keys, report } = prepare();
      fixture.crashed(4711, { processor: 1 });
      fixture.onSettle = () => Promise.reject(failure('EIO'));
      fixture.space = { free: 0.5e9, size: 100e9 };
      await round();
      expect(keys()).toEqual(['disk', 'process 4711 on pi', 'claims of the processor']);
      fixture.onSettle = async () => undefined;
      await round();
      expect([keys().includes('claims of the processor'), report().released_claims]).toEqual([false, 1]);
    });

    it('of the processor: where the result line stands it counts, else the image waits; beside one that does the same', async () => {
      const world = await PipelineWorld.open();
      await world.offer('A', 'B');
      const [first] = await world.manifest.claim('processor', 2, { place: await world.log.position() });
      await world.log.append(composeResultLine(resultHead(first!), null));
      const next = await PipelineWorld.open(world.files, { pid: 2, dead: [1] });
      const other = await PipelineWorld.open(world.files, { pid: 3, dead: [1] });
      const ended = await Promise.all([
        settleProcessorOrphans(next.manifest, next.results),
        settleProcessorOrphans(other.manifest, other.results),
      ]);
      expect(ended[0]! + ended[1]!).toBe(2);
      await next.manifest.catchUp();
      expect(next.get('A')).toMatchObject({ processing_status: 'processed', attempt: 1, claims: {} });
      expect(next.get('B')).toMatchObject({ processing_status: 'pending', claims: {} });
      expect(await next.lines()).toHaveLength(1);
      expect(await settleProcessorOrphans(next.manifest, next.results)).toBe(0);
    });

    it('of the processor are ended once, wherever the one that does it is cut off', async () => {
      const world = await PipelineWorld.open();
      await world.offer('A', 'B');
      const [first] = await world.manifest.claim('processor', 2, { place: await world.log.position() });
      await world.log.append(composeResultLine(resultHead(first!), null));
      const crashes = await atEveryCrash({
        start: world.files,
        context: () => null,
        prefixes: 3,
        work: async files => {
          const { manifest, results } = await PipelineWorld.open(files, { pid: 2, dead: [1] });
          await settleProcessorOrphans(manifest, results);
        },
        check: async files => {
          const next = await PipelineWorld.open(files, { pid: 3, dead: [1, 2] });
          await settleProcessorOrphans(next.manifest, next.results);
          expect(next.get('A')).toMatchObject({ processing_status: 'processed', attempt: 1, claims: {} });
          expect(next.get('B')).toMatchObject({ processing_status: 'pending', claims: {} });
          expect(await next.lines()).toEqual([{ id: 'A', attempt: 1, error: null }]);
          expect(await next.results.read(next.get('A').result!)).toMatchObject({ entry_id: 'A', attempt: 1 });
        },
      });
      expect(crashes).toBeGreaterThan(20);
    });
  });

  it('says that a stage is not run any more when the process that had it is gone', async () => {
    const { fixture, round, report, alarms } = prepare();
    fixture.holders = { collector: identity(4711), communicator: identity(1) };
    await round();
    expect(report().findings).toEqual([]);
    fixture.dead = [4711];
    fixture.pipeline = samplePipeline({ collector: {} });
    await round();
    expect(report().stages.collector).toEqual({ light: 'red', word: 'crashed' });
    expect(alarms()).toEqual([
      'process 4711 on pi ended without a word; what it ran is not run any more, start it again: collector',
    ]);
    fixture.holders = { collector: identity(5000) };
    await round();
    expect(report().stages.collector?.light).toBe('green');
  });

  describe('the disk', () => {
    it('is nearly full below three quarters of min_free_disk, and well with some more: no coming and going at the edge', async () => {
      const { fixture, round, keys } = prepare({ minFreeDisk: { kind: 'bytes', bytes: 10e9, text: '10 GB' } });
      const seen: boolean[] = [];
      for (const free of [8e9, 7.4e9, 7.6e9, 9.3e9, 9.4e9, 7.6e9]) {
        fixture.space = { free, size: 100e9 };
        await round();
        seen.push(keys().includes('disk'));
      }
      expect(seen).toEqual([false, true, true, true, false, false]);
    });

    it('is nearly full with less than 2 % of it where nothing is configured; and said to be gone when it does not answer', async () => {
      const { fixture, round, alarms } = prepare({ minFreeDisk: { kind: 'bytes', bytes: 0, text: '0 GB' } });
      fixture.space = { free: 1.9e9, size: 100e9 };
      await round();
      fixture.space = null;
      await round();
      expect(alarms()).toEqual([
        'the disk of root_dir is nearly full: less than 2.5 GB of 100 GB are free; make room',
        'the disk of root_dir does not answer: is it still there?',
      ]);
    });

    it('that does not tell its space (statfs of 0 blocks) is neither full nor gone', async () => {
      const { fixture, round, alarms, report } = prepare({
        minFreeDisk: { kind: 'bytes', bytes: 10e9, text: '10 GB' },
      });
      fixture.space = diskSpaceOf({ bavail: 0, blocks: 0, bsize: 4096 });
      await round();
      expect(alarms()).toEqual([]);
      expect(report().disk).toBeNull();
    });
  });

  it.each([
    [3_600_000, 'forward by 1 h, or the machine slept'],
    [-3_600_000, 'back by 1 h'],
    [-1_500, 'back by 1.5 s'],
  ])('says that the clock was set, and by how much: %d ms', async (byMs, words) => {
    const { run, round, report, alarms } = prepare();
    await round();
    run.setClock(Date.now() + byMs);
    await round();
    expect(alarms()).toHaveLength(1);
    expect(alarms()[0]).toContain(`the clock was set ${words}; it is 2025-07-24`);
    expect(report()).toMatchObject({ clock_jumps: 1, light: 'amber' });
    for (let i = 0; i < 19; i++) await round();
    expect(run.count('well')).toBe(0);
    await round();
    expect(run.told).toContain('well clock');
  });

  it('does not call a gentle correction of the clock a jump', async () => {
    const { run, round, report } = prepare();
    for (let i = 0; i < 3; i++) {
      await round();
      run.setClock(Date.now() + 900);
    }
    expect(report().clock_jumps).toBe(0);
  });

  it('says that the power supply is too weak, and is well again when it is not', async () => {
    const { fixture, run, round, keys, report } = prepare();
    fixture.throttled = 0x50005;
    await round();
    expect(keys()).toEqual(['power supply', 'throttling']);
    expect(report().light).toBe('red');
    fixture.throttled = 0x50000;
    await round();
    expect(report().light).toBe('amber');
    fixture.throttled = null;
    await round();
    expect(run.status('health').alarms).toEqual([]);
    run.unsubscribe();
  });

  describe('sensors', () => {
    const temperature = (data: Record<string, number | null>, error: string | null = null) => ({
      temperature_data: {
        type: 'temperature' as const,
        timestamp_iso: '2025-07-24T13:45:13.569672',
        data,
        error_flag: error !== null,
        error_message: error,
      },
    });

    it('that give nothing for longer than 1.5 intervals though frames come are named, with the reason', async () => {
      const { fixture, run, round, alarms, keys } = prepare({
        frameIntervalMs: 20_000,
        sensors: ['Sensor 1', 'Sensor 2'],
      });
      const { clock } = run.tools;
      await round();
      fixture.frame(clock.monotonic(), temperature({ 'Sensor 1': 21, 'Sensor 2': 20 }));
      await round();
      fixture.frame(
        clock.monotonic() - 10_000,
        temperature({ 'Sensor 1': 21, 'Sensor 2': null }, '28-00 is not there'),
      );
      await round();
      expect(alarms().filter(message => message.includes('temperature'))).toEqual([
        expect.stringMatching(/^no temperature from Sensor 2 since 2025-07-24 \d\d:45:13: 28-00 is not there$/),
      ]);
      fixture.frame(clock.monotonic() - 10_000, { temperature_data: null });
      await round();
      expect(keys()).toEqual(expect.arrayContaining(['sensor Sensor 1', 'sensor Sensor 2']));
      fixture.frame(clock.monotonic() - 10_000, temperature({ 'Sensor 1': 21, 'Sensor 2': 20 }));
      await round();
      expect(keys().filter(key => key.startsWith('sensor'))).toEqual([]);
    });

    it('have a reason of their own each, and a value that stays the same for too long is told', async () => {
      const { fixture, run, round, alarms, keys } = prepare({ frameIntervalMs: 20_000, sensors: ['A', 'B'] });
      const entry = temperature({ A: null, B: 20 }, 'A (28-0a): it is gone');
      Object.assign(entry.temperature_data, { errors: { A: '28-0a: it is gone' }, flags: { B: ['unchanged'] } });
      for (let i = 0; i < 3; i++) {
        fixture.frame(run.tools.clock.monotonic(), entry);
        await round();
      }
      expect(keys().sort()).toEqual(['sensor A', 'sensor B']);
      expect(alarms()).toEqual([
        'the temperature of B has been the same for too long: is the sensor stuck?',
        expect.stringMatching(/^no temperature from A since .*: 28-0a: it is gone$/),
      ]);
      fixture.frame(run.tools.clock.monotonic(), temperature({ A: 21, B: 20.1 }));
      await round();
      expect(keys()).toEqual([]);
      run.unsubscribe();
    });

    it('have the newest reason, which may not be the first', async () => {
      const { fixture, run, round, alarms } = prepare({ frameIntervalMs: 20_000, sensors: ['A'] });
      for (const reason of ['its first reading is not finished', 'it is gone', 'it is gone']) {
        fixture.frame(run.tools.clock.monotonic(), temperature({ A: null }, reason));
        await round();
      }
      expect(alarms()).toEqual([expect.stringMatching(/: it is gone$/)]);
      run.unsubscribe();
    });

    it('are not expected in brightfield frames, which are no frames of the schedule either', async () => {
      const { fixture, run, round, keys } = prepare({ frameIntervalMs: 20_000, sensors: ['Sensor 1'] });
      const brightfield = { camera_data: { type: 'brightfield', original: false } } as never;
      for (let i = 0; i < 4; i++) {
        fixture.frame(run.tools.clock.monotonic(), brightfield);
        await round();
      }
      expect(keys()).toEqual(['frames']);
      run.unsubscribe();
    });

    it('are not waited for while no frame comes, nor in imported images', async () => {
      const { fixture, round, keys } = prepare({ frameIntervalMs: 20_000, sensors: ['Sensor 1'] });
      const imported = { camera_data: { original: true } } as never;
      for (let i = 0; i < 4; i++) {
        fixture.frame(i, imported);
        await round();
      }
      expect(keys()).toEqual(['frames']);
    });
  });

  describe('the cadence of frames', () => {
    /** Frames at these multiples of the interval of 5 s, told while the clock goes on. */
    async function frames(at: readonly number[], setup: Partial<HealthSettings> = {}) {
      const all = prepare({ frameIntervalMs: 5_000, ...setup });
      await all.round();
      const begun = all.run.tools.clock.monotonic();
      for (const multiple of at) {
        const wait = begun + multiple * 5_000 - all.run.tools.clock.monotonic();
        await vi.advanceTimersByTimeAsync(wait);
        all.fixture.frame(all.run.tools.clock.monotonic());
      }
      await all.run.rest();
      return all;
    }

    it('is kept, with the jitter of a slow disk', async () => {
      const { round, report } = await frames([1, 2, 3.7, 4, 5, 6.9, 7, 8.4, 9, 10]);
      await round();
      expect(report().missed_frames).toBe(0);
    });

    it('is broken little by little by a timer that drifts: 400 frames in the time of 403', async () => {
      const { round, report } = await frames(Array.from({ length: 400 }, (_, i) => i * 1.0076));
      await round();
      expect(report().missed_frames).toBe(3);
    });

    it('is broken by missed frames: how many, and when', async () => {
      const { round, report, alarms } = await frames([1, 2, 3, 6, 7, 8, 9, 11, 12, 13]);
      await round();
      expect(report().missed_frames).toBe(3);
      expect(report().last_gap).toEqual({
        from: '2025-07-24T13:45:58.000000Z',
        to: '2025-07-24T13:46:08.000000Z',
        count: 1,
      });
      expect(
        alarms()
          .filter(message => message.includes('missed'))
          .at(-1),
      ).toMatch(/^3 frames missed so far; the last 1 of them between 2025-07-24 \d\d:45:58 and 2025-07-24 \d\d:46:08$/);
    });

    it('is broken also by a frame that is late and one that is missing next to it', async () => {
      const { round, report } = await frames([1, 2, 3.6, 5, 6, 7, 8, 9]);
      await round();
      expect(report().missed_frames).toBe(1);
    });

    it('and no frame at all is said while it lasts', async () => {
      const { fixture, run, round, alarms, keys } = await frames([1, 2, 3, 4, 5, 6, 7]);
      await round();
      await round();
      expect(keys()).toEqual(['frames']);
      expect(alarms()).toEqual([expect.stringMatching(/^no frame since 2025-07-24 .*, though one is due every 5 s$/)]);
      await round();
      expect(alarms()).toHaveLength(1);
      for (let i = 0; i < 6; i++) {
        fixture.frame(run.tools.clock.monotonic());
        await vi.advanceTimersByTimeAsync(5_000);
      }
      await run.rest();
      expect(keys()).toEqual(['missed frames']);
    });

    it.each(['paused', 'off', 'stopped'] as const)('is nobody’s fault while the collector is %s', async state => {
      const { fixture, run, round, report, keys } = await frames([1, 2, 3, 4, 5]);
      fixture.pipeline = samplePipeline({ collector: { state } });
      for (let i = 0; i < 5; i++) await round();
      fixture.pipeline = samplePipeline();
      for (let i = 0; i < 7; i++) {
        fixture.frame(run.tools.clock.monotonic());
        await vi.advanceTimersByTimeAsync(5_000);
      }
      await run.rest();
      expect([report().missed_frames, keys()]).toEqual([0, []]);
    });

    it('says nothing of another boot’s clock', async () => {
      const { fixture, run, round, report } = prepare({ frameIntervalMs: 5_000 });
      await round();
      fixture.frame(5_000_000, { boot_id: 'before' });
      for (let i = 0; i < 6; i++) {
        fixture.frame(i * 5_000, { boot_id: 'boot' });
        await vi.advanceTimersByTimeAsync(5_000);
      }
      await run.rest();
      expect(report().missed_frames).toBe(0);
    });

    it('counts on over a failure of the stage, and calls nothing missed of which it could not hear', async () => {
      const { fixture, run, round, report } = await frames([1, 2, 5, 6]);
      fixture.onLook = () => Promise.reject(failure('EIO'));
      await run.until(() => run.told.includes('alarm EIO'), 1000);
      await vi.advanceTimersByTimeAsync(500);
      fixture.onLook = async () => undefined;
      await run.until(() => run.told.includes('well EIO'), 100);
      for (let i = 0; i < 4; i++) {
        fixture.frame(run.tools.clock.monotonic());
        await vi.advanceTimersByTimeAsync(5_000);
      }
      await round();
      expect(report().missed_frames).toBe(2);
    });
  });

  describe('other processes', () => {
    it('whose stage is late are told of, with the last sign of life', async () => {
      const { fixture, round, report, alarms } = prepare();
      fixture.pipeline = samplePipeline({
        processor: { late: 'hung' },
        communicator: { late: 'stale' },
        health: { late: 'stale' },
      });
      await round();
      expect(alarms().map(message => message.replace(/\d\d:45:00/, 'T'))).toEqual([
        'the processor has work and gets nowhere; its last sign of life was at 2025-07-24 T',
        'the communicator should have looked for work by now; its last sign of life was at 2025-07-24 T',
      ]);
      expect(report().stages).toMatchObject({
        processor: { light: 'red', word: 'hung' },
        communicator: { light: 'amber', word: 'stale' },
      });
    });

    it('that live and say nothing are told of, by the heartbeat that stays the same, not by the clock', async () => {
      const { fixture, run, round, keys } = prepare();
      const beat = (seconds: number) => {
        const pipeline = samplePipeline();
        const heartbeat = `2025-07-24T13:45:${String(seconds).padStart(2, '0')}.000000Z`;
        return {
          ...pipeline,
          processes: [
            { ...pipeline.processes[0]!, heartbeat },
            { ...pipeline.processes[0]!, pid: 9 },
          ],
        };
      };
      fixture.beats = 0;
      fixture.pipeline = beat(0);
      await round();
      fixture.pipeline = beat(30);
      run.setClock(Date.now() + 7_200_000);
      await round();
      expect(keys()).toEqual(['clock', 'silence of process 9 on pi']);
      fixture.dead = [9];
      fixture.pipeline = beat(50);
      await round();
      expect(keys()).toEqual(['clock']);
    });
  });

  it('shows the light of a stage with an alarm, and of one that rests', async () => {
    const { fixture, round, report } = prepare();
    const alarm = { stage: 'processor', key: 'ENOSPC', message: 'full', since: '', times: 1 } as const;
    fixture.pipeline = samplePipeline(
      { communicator: { state: 'paused' }, backup: { state: 'off' } },
      { alarms: [alarm] },
    );
    await round();
    expect(report()).toMatchObject({
      light: 'red',
      stages: {
        collector: { light: 'green', word: 'running' },
        processor: { light: 'red', word: 'alarm' },
        communicator: { light: 'amber', word: 'paused' },
        backup: { light: 'grey', word: 'off' },
      },
    });
  });
});
