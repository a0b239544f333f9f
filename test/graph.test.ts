import { BehaviorSubject, concat, defer, NEVER, of, Subject, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../src/config/configError.ts';
import { defaultConfig } from '../src/config/defaultConfig.ts';
import { resolvePaths } from '../src/config/resolvePaths.ts';
import type { Config } from '../src/config/schema.ts';
import { graph } from '../src/graph.ts';
import type { GraphInputs } from '../src/graphInputs.ts';
import { type Control, noControl } from '../src/model/control.ts';
import type { NoteEvent, PipelineEvent } from '../src/model/event.ts';
import { roiManifestOf } from '../src/operators/services/roiManifestOf.ts';
import type { Experiment } from '../src/operators/stage/experiment.ts';
import { mergeUntilComplete } from '../src/rx/mergeUntilComplete.ts';
import { createShares } from '../src/share/share.ts';
import type { ConfigUpdate } from '../src/streams/configuration/configUpdates.ts';
import { CollectorFixture } from './world/collectorFixture.ts';
import { CommunicatorFixture } from './world/communicatorFixture.ts';
import { EventRun, useStillTime } from './world/eventRun.ts';
import { exclusiveHere } from './world/exclusiveHere.ts';
import { PipelineWorld } from './world/pipelineWorld.ts';
import { ProcessorFixture, roiManifestText } from './world/processorFixture.ts';
import { failure, gate } from './world/stageWorld.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

const shipped = defaultConfig();
// The reference of the shifts has tests of its own, in which the clock moves.
const analysis = { ...shipped.Data_Analysis, workers: 2, reference_frames: 0 };
const config: Config = { ...shipped, Data_Analysis: analysis };
const paths = resolvePaths(config, { cwd: '/', configFile: '/configs/c.toml', exists: () => false, root: '/root' });
const loaded = (changed: Config = config): ConfigUpdate => ({
  kind: 'loaded',
  file: 'c.toml',
  config: changed,
  warnings: [],
  changes: [],
  restart: [],
});

/** A pipeline on a folder of `images`, in memory. */
async function prepare(images = 6, world?: PipelineWorld) {
  const there = world ?? (await PipelineWorld.open());
  for (let i = 0; i < images; i++) there.files.put(`/old/img_${i}.tif`, 'pixels');
  const collecting = new CollectorFixture(there, 'own').folder(images);
  const processing = new ProcessorFixture(there);
  const communicating = new CommunicatorFixture(there);
  const run = new EventRun();
  const { tools, stop$ } = run;
  const note = (level: NoteEvent['level'], message: string): void =>
    notes$.next({ kind: 'note', at: 0, level, stage: null, message });
  const notes$ = new Subject<NoteEvent>();
  const base: Experiment = {
    ...collecting.deps,
    ...processing.deps,
    ...communicating.deps,
    results: { ...processing.deps.results, ...communicating.deps.results },
    tools,
    paths,
    configFile: null,
    replay: { folder: '/old', speed: Number.POSITIVE_INFINITY },
    backupFiles: there.files,
    manifestTouched$: NEVER,
    shares: createShares(),
    restoreLock: exclusiveHere(),
    liveness: () => 'alive',
    note,
    readStatus: async () => null,
    readHolders: async () => ({}),
    rootSpace: () => null,
    readThrottled: async () => null,
    settleOrphans: {},
  };
  const steering: GraphInputs = {
    config$: of(loaded()),
    prepare: async () => undefined,
    control$: concat(of(noControl), NEVER),
    pausedBy$: of(null),
    stop$,
    stages: ['collector', 'processor', 'communicator'],
  };
  const start = ({
    roiManifest$ = of(roiManifestText),
    manifestTouched$ = NEVER,
    ...inputs
  }: Partial<GraphInputs & Pick<Experiment, 'roiManifest$' | 'manifestTouched$'>> = {}): void => {
    const watched$ = roiManifestOf(roiManifest$, base, stop$);
    const events$ = graph({ ...base, roiManifest$: watched$, manifestTouched$ }, { ...steering, ...inputs });
    run.listen(events$.pipe(mergeUntilComplete<PipelineEvent>(notes$)));
  };
  return { world: there, collecting, processing, communicating, run, start };
}

const toldOf = (run: EventRun, stage: string): string[] =>
  run.events.flatMap((event, i) => ('stage' in event && event.stage === stage ? [run.told[i]!] : []));
const states = (run: EventRun, stage: string): string[] =>
  toldOf(run, stage).filter(told => /^(off|starting|running|draining|paused|stopped)$/.test(told));
const notes = (run: EventRun): string[] => run.told.filter(told => told.startsWith('note'));
const files = (world: PipelineWorld, ids: readonly string[]): string[] =>
  ids.map(id => world.get(id).camera_data!.filename);

describe('graph', () => {
  it('takes a folder from its first image to the last row, in order, and completes', async () => {
    const { world, collecting, processing, communicating, run, start } = await prepare(40);
    start();
    await run.until(() => run.complete);
    expect(files(world, communicating.rows)).toEqual(Array.from({ length: 40 }, (_, i) => `img_${i}.tif`));
    expect(world.ids(entry => entry.data_transmitted)).toHaveLength(40);
    for (const stage of ['collector', 'processor', 'communicator'] as const) {
      expect(run.status(stage)).toMatchObject({ done: 40, in_flight: 0, queued: 0, alarms: [], state: 'stopped' });
      expect(states(run, stage)).toEqual(['starting', 'running', 'stopped']);
    }
    expect([collecting.open, processing.open, communicating.open, run.tracked.size]).toEqual([0, 0, 0, 0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says what waits, at the start and at the end', async () => {
    const { world, processing, run, start } = await prepare(0);
    await world.offer('A', 'B');
    processing.onAnalyse = () => new Promise(() => undefined);
    start({ config$: concat(of(loaded()), NEVER) });
    await run.rest();
    expect(run.told.filter(told => told.includes('queued')).slice(0, 2)).toEqual([
      'processor queued 2',
      'communicator queued 0',
    ]);
    run.unsubscribe();
  });

  describe('a stop', () => {
    it('finishes what is in flight; the communicator reports also what the processor still finishes', async () => {
      const { world, processing, communicating, run, start } = await prepare(40);
      const door = gate();
      processing.onAnalyse = () => door.pass();
      start({ config$: concat(of(loaded()), NEVER) });
      await run.until(() => run.status('processor')?.in_flight === 4);
      run.stop$.next();
      await run.rest();
      expect([run.complete, states(run, 'communicator')]).toEqual([false, ['starting', 'running']]);
      door.open();
      await run.until(() => run.complete);
      expect(files(world, communicating.rows)).toEqual(['img_0.tif', 'img_1.tif', 'img_2.tif', 'img_3.tif']);
      expect(run.told.indexOf('draining')).toBeGreaterThan(0);
      expect(toldOf(run, 'communicator').at(-2)).toBe('stopped');
      expect(world.ids(entry => Object.keys(entry.claims).length > 0)).toEqual([]);
      expect([run.tracked.size, vi.getTimerCount()]).toEqual([0, 0]);
    });

    it('ends also a pipeline in which nothing works', async () => {
      const { collecting, communicating, run, start } = await prepare();
      collecting.onOpen = () => Promise.reject(failure('ENODEV'));
      communicating.onOpen = () => Promise.reject(failure('EACCES'));
      start({ config$: concat(of(loaded()), NEVER), roiManifest$: concat(of(null), NEVER) });
      await run.until(() => run.count('alarm') >= 3, 100);
      run.stop$.next();
      await run.until(() => run.complete);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('before anything has begun is a stop', async () => {
      const { run, start } = await prepare();
      run.stop$.next();
      start({ config$: concat(of(loaded()), NEVER), roiManifest$: NEVER });
      await run.until(() => run.complete);
    });
  });

  it('cut short at any instant leaves nothing claimed or open, and the next one finishes everything once', async () => {
    for (let instant = 0; instant < 200; instant += 7) {
      const { world, collecting, processing, communicating, run, start } = await prepare();
      start();
      for (let i = 0; i < instant; i++) await null;
      run.unsubscribe();
      await run.putAway();
      expect(world.ids(entry => Object.keys(entry.claims).length > 0)).toEqual([]);
      expect([collecting.open, processing.open, communicating.open]).toEqual([0, 0, 0]);
      if (instant % 5 > 0) continue;
      const next = await prepare(6, world);
      next.start();
      await next.run.until(() => next.run.complete);
      const rows = files(world, [...communicating.rows, ...next.communicating.rows]);
      expect(rows.sort()).toEqual(['img_0.tif', 'img_1.tif', 'img_2.tif', 'img_3.tif', 'img_4.tif', 'img_5.tif']);
    }
  });

  describe('a change of the configuration', () => {
    it('is a handover of the stages that it concerns, and of no other', async () => {
      const { run, start } = await prepare();
      const config$ = new Subject<ConfigUpdate>();
      start({ config$ });
      config$.next(loaded());
      await run.until(() => run.status('communicator')?.done === 6);
      config$.next(loaded({ ...config, Data_Analysis: { ...config.Data_Analysis, method: 'fano' } }));
      await run.rest();
      expect(states(run, 'processor')).toEqual(['starting', 'running', 'draining', 'stopped', 'starting', 'running']);
      expect(states(run, 'communicator')).toEqual(['starting', 'running']);
      expect(states(run, 'collector')).toEqual(['starting', 'running', 'stopped']);
      expect(run.events.filter(event => event.kind === 'settings')).toMatchObject([
        { stage: 'processor', changes: [expect.stringContaining('fano')] },
      ]);
      run.unsubscribe();
    });

    it('that is bad is told, and changes nothing', async () => {
      const { run, start } = await prepare();
      const config$ = new Subject<ConfigUpdate>();
      start({ config$ });
      config$.next(loaded());
      await run.rest();
      config$.next({ kind: 'error', file: 'c.toml', error: new ConfigError('c.toml', []) });
      await run.rest();
      expect(run.count('config_error')).toBe(1);
      expect(states(run, 'processor')).toEqual(['starting', 'running']);
      run.unsubscribe();
    });

    it('that can not be had at all is an error of the graph, which closes everything', async () => {
      const { collecting, processing, communicating, run, start } = await prepare();
      const config$ = new Subject<ConfigUpdate>();
      start({ config$ });
      config$.next(loaded());
      await run.rest();
      config$.error(new Error('no'));
      expect(run.error).toEqual(new Error('no'));
      await run.putAway();
      expect([collecting.open, processing.open, communicating.open]).toEqual([0, 0, 0]);
    });
  });

  describe('the control file', () => {
    const ask = (seq: number, ...paused: Control['paused']): Control => ({ seq, paused });
    const config$ = concat(of(loaded()), NEVER);

    it('pauses one stage while the others go on, and is acknowledged', async () => {
      const { world, communicating, run, start } = await prepare(6);
      const control$ = new BehaviorSubject<Control>(ask(3, 'processor'));
      start({ config$, control$ });
      await run.until(() => run.status('collector').done === 6);
      await run.rest();
      expect([states(run, 'processor'), states(run, 'communicator')]).toEqual([['paused'], ['starting', 'running']]);
      expect(world.waiting('processor')).toBe(6);

      control$.next(ask(4, 'communicator'));
      await run.until(() => run.status('processor').done === 6);
      await run.rest();
      expect(states(run, 'communicator')).toEqual(['starting', 'running', 'draining', 'stopped', 'paused']);
      expect(communicating.rows).toEqual([]);

      control$.next(ask(5));
      await run.until(() => run.status('communicator').done === 6);
      // The collector had read its folder, and is left alone.
      expect(states(run, 'collector')).toEqual(['starting', 'running', 'stopped']);
      const seen = run.events.flatMap(event => (event.kind === 'control' ? [[event.seq, ...event.paused]] : []));
      expect(seen).toEqual([[3, 'processor'], [4, 'communicator'], [5]]);
      expect(run.count('alarm')).toBe(0);
      run.unsubscribe();
      await run.putAway();
      expect([control$.observed, vi.getTimerCount()]).toEqual([false, 0]);
    });

    it('is waited for: nothing begins before its first word', async () => {
      const { collecting, run, start } = await prepare();
      const control$ = new Subject<Control>();
      start({ config$, control$ });
      await run.rest();
      expect([run.count('state'), collecting.open, collecting.maxOpen]).toEqual([0, 0, 0]);
      control$.next(noControl);
      await run.until(() => run.status('communicator')?.done === 6);
      run.stop$.next();
      await run.until(() => run.complete);
      expect([control$.observed, vi.getTimerCount()]).toEqual([false, 0]);
    });

    it('lets a pipeline be stopped in which everything rests, also before its first word', async () => {
      for (const control$ of [
        new Subject<Control>(),
        concat(of(ask(1, 'collector', 'processor', 'communicator')), NEVER),
      ]) {
        const { run, start } = await prepare();
        start({ config$, control$ });
        await run.rest();
        run.stop$.next();
        await run.until(() => run.complete);
        expect([run.count('claimed'), vi.getTimerCount()]).toEqual([0, 0]);
      }
    });
  });

  it('says what pace the configuration asks for, of the stages that run here, and again when it changes', async () => {
    const { run, start } = await prepare();
    const config$ = new Subject<ConfigUpdate>();
    start({ config$, stages: ['collector', 'processor'] });
    const timing = (seconds: number): ConfigUpdate =>
      loaded({ ...config, Timing: { ...config.Timing, processor_interval_seconds: seconds } });
    config$.next(timing(2));
    await run.rest();
    config$.next(timing(3));
    await run.rest();
    const paces = run.events.flatMap(event => (event.kind === 'pace' ? [[event.stage, event.intervalMs]] : []));
    expect(paces).toEqual([
      // A folder is read as fast as there is room.
      ['collector', null],
      ['processor', 2000],
      ['collector', null],
      ['processor', 3000],
    ]);
    run.unsubscribe();
  });

  it('tells of signs of life, of each stage at most once a second', async () => {
    const { world, run, start } = await prepare(0);
    start({ config$: concat(of(loaded()), NEVER), stages: ['processor', 'communicator'] });
    for (let i = 0; i < 35; i++) {
      await world.offer(`A${i}`);
      await run.rest();
      await vi.advanceTimersByTimeAsync(100);
    }
    for (const stage of ['processor', 'communicator'] as const) {
      expect(run.status(stage).done).toBeGreaterThan(30);
      const beats = run.events.flatMap(event => (event.kind === 'beat' && event.stage === stage ? [event.at] : []));
      expect(beats.length).toBeGreaterThanOrEqual(3);
      for (const [i, at] of beats.slice(1).entries()) expect(at - beats[i]!).toBeGreaterThanOrEqual(1000);
    }
    run.unsubscribe();
  });

  describe('the ROI manifest', () => {
    it('may come a moment after the start; later it is missed, and when it comes the stage is well', async () => {
      const { run, start } = await prepare();
      const roiManifest$ = new Subject<string | null>();
      start({ config$: concat(of(loaded()), NEVER), roiManifest$ });
      roiManifest$.next(null);
      await vi.advanceTimersByTimeAsync(4999);
      await run.rest();
      expect(run.count('alarm')).toBe(0);
      await vi.advanceTimersByTimeAsync(1);
      await run.rest();
      expect(run.status('processor').alarms).toEqual(['ENOENT']);
      roiManifest$.next(roiManifestText);
      await run.until(() => run.status('communicator')?.done === 6);
      expect(run.status('processor').alarms).toEqual([]);
      run.unsubscribe();
    });

    it('that can not be watched is a note, and is watched again; the pipeline goes on', async () => {
      const { processing, run, start } = await prepare();
      let watches = 0;
      const roiManifest$ = defer(() =>
        concat(of(roiManifestText), watches++ < 2 ? throwError(() => failure('ENOSPC')) : NEVER),
      );
      start({ config$: concat(of(loaded()), NEVER), roiManifest$ });
      await run.until(() => run.status('communicator')?.done === 6);
      await run.until(() => watches === 3, 500);
      await run.rest();
      expect(notes(run)).toEqual([
        'note the ROI manifest is not watched: ENOSPC: as the test wants it; it is tried again',
      ]);
      expect([processing.maxOpen, states(run, 'processor')]).toEqual([1, ['starting', 'running']]);
      expect(run.error).toBe(null);
      run.unsubscribe();
    });
  });

  describe('changes by other processes', () => {
    it('are taken in when the manifest is touched, and at the start', async () => {
      const { world, run, start } = await prepare(0);
      const other = await PipelineWorld.open(world.files, { pid: 2 });
      await other.offer('A');
      const touched$ = new Subject<void>();
      start({
        config$: concat(of(loaded()), NEVER),
        manifestTouched$: touched$,
        stages: ['processor', 'communicator'],
      });
      await run.until(() => run.status('communicator')?.done === 1);
      await other.offer('B');
      await run.rest();
      expect(run.status('processor').done).toBe(1);
      touched$.next();
      await run.until(() => run.status('communicator').done === 2);
      run.unsubscribe();
    });

    it('that can not be seen are a note, and are looked for again; the pipeline goes on', async () => {
      const { world, run, start } = await prepare();
      const catchUp = world.manifest.catchUp.bind(world.manifest);
      let isBroken = true;
      world.manifest.catchUp = () => (isBroken ? Promise.reject(failure('EIO')) : catchUp());
      const touched$ = new Subject<void>();
      start({ config$: concat(of(loaded()), NEVER), manifestTouched$: touched$ });
      await run.until(() => run.status('communicator')?.done === 6);
      await vi.advanceTimersByTimeAsync(30_000);
      isBroken = false;
      await vi.advanceTimersByTimeAsync(60_001);
      touched$.next();
      await run.rest();
      expect(notes(run)).toEqual([
        'note changes by other processes are not seen: EIO: as the test wants it; it is tried again',
        'note over: changes by other processes are not seen',
      ]);
      run.unsubscribe();
    });

    it('are how stages work together that run in processes of their own', async () => {
      const { world, communicating, run, start } = await prepare(20);
      const second = await PipelineWorld.open(world.files, { pid: 2 });
      const other = await prepare(20, second);
      // Each is touched by what the other writes.
      const touch = { first$: new Subject<void>(), second$: new Subject<void>() };
      world.manifest.changes$.subscribe(() => touch.second$.next());
      second.manifest.changes$.subscribe(() => touch.first$.next());
      const config$ = concat(of(loaded()), NEVER);
      start({ config$, manifestTouched$: touch.first$, stages: ['collector', 'communicator'] });
      other.start({ config$, manifestTouched$: touch.second$, stages: ['processor'] });
      await run.until(() => run.status('communicator')?.done === 20);
      expect(files(world, communicating.rows)).toEqual(Array.from({ length: 20 }, (_, i) => `img_${i}.tif`));
      expect([...new Set(run.events.flatMap(event => ('stage' in event ? [event.stage] : [])))].sort()).toEqual([
        'collector',
        'communicator',
      ]);
      run.stop$.next();
      other.run.stop$.next();
      await run.until(() => run.complete && other.run.complete);
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});
