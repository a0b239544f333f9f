import { ReplaySubject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultConfig } from '../../../src/config/defaultConfig.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { SourceFrame } from '../../../src/model/frame.ts';
import { localIso, utcIso } from '../../../src/model/localTime.ts';
import type { CollectSettings } from '../../../src/operators/collector/captureStage.ts';
import { openSensor } from '../../../src/streams/sensors/openSensor.ts';
import { CollectorFixture, capturedFrame, collectSettings, importedFrame } from '../../world/collectorFixture.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { deviceRoot, powerOnText, SensorTree, systemError, w1Slave } from '../../world/sensorTree.ts';
import { StageRun } from '../../world/stageRun.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

const inlet = '28-00000ff8fa16';
const outlet = '28-00000ff86450';
const both = { [inlet]: 'Inlet', [outlet]: 'Outlet' };

type Changes = { on?: boolean; sensors?: Record<string, string>; unchanged?: number };

function configWith({ on = true, sensors = both, unchanged = 3600 }: Changes = {}): Config {
  const config = defaultConfig();
  return {
    ...config,
    Services: { ...config.Services, enable_thermocouple: on },
    Temperature: { device_root: deviceRoot, thermocouple_sensors: sensors, longest_unchanged_seconds: unchanged },
  };
}

/** The collector with a camera, an interval of 5 s, and the sensors of a tree; one for a folder is still to be started. */
async function prepare(changes: Changes = {}, pace: 'triggered' | 'own' = 'triggered') {
  const world = await PipelineWorld.open();
  const run = new StageRun<CollectSettings>(collectSettings);
  const fixture = new CollectorFixture(world, pace);
  const tree = new SensorTree().set(inlet, w1Slave(21.5)).set(outlet, w1Slave(5.25));
  const config$ = new ReplaySubject<Config>(1);
  config$.next(configWith(changes));
  const notes: string[] = [];
  fixture.note = message => notes.push(message);
  fixture.openSensor = (id, root) => openSensor(id, root, { files: tree, clock: run.tools.clock });
  if (pace === 'triggered') run.start(fixture.stage({ ...run.tools, config$ }));
  /** Lets so many frames be taken, and returns what the last one's entry says. */
  const frames = async (count = 1) => {
    const before = run.count('done');
    for (let i = before + 1; i <= before + count; i++) {
      if (i > 1) await vi.advanceTimersByTimeAsync(5000);
      await run.until(() => run.count('done') >= i);
      await run.rest();
    }
    return [...world.manifest.entries()].at(-1)!.temperature_data;
  };
  return { world, run, fixture, tree, config$, notes, frames };
}

/** A measurement takes as long as that of a real sensor. */
const slowly =
  (celsius: number, ms = 750) =>
  (): Promise<string> =>
    new Promise(resolve => setTimeout(() => resolve(w1Slave(celsius)), ms));

describe('temperatures of a frame', () => {
  it('are those of its sensors, by their names, as the Python system wrote them', async () => {
    const { run, frames } = await prepare();
    await frames();
    expect(await frames()).toEqual({
      type: 'temperature',
      timestamp_iso: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
      data: { Inlet: 21.5, Outlet: 5.25 },
      error_flag: false,
      error_message: null,
    });
    run.unsubscribe();
  });

  it('are not read while enable_thermocouple is off', async () => {
    const { run, tree, frames } = await prepare({ on: false });
    expect(await frames(3)).toBeNull();
    expect(tree.reads).toEqual([]);
    run.unsubscribe();
  });

  it('delay no frame, however slow the sensors are, and are measured shortly before it', async () => {
    const { world, run, tree, frames } = await prepare();
    let at = 0;
    tree.set(inlet, () => {
      at = Date.now();
      return slowly(21.5)();
    });
    tree.set(outlet, slowly(5.25));
    await frames(4);
    expect(run.count('discarded')).toBe(0);
    const [first, ...others] = [...world.manifest.entries()];
    expect(first!.temperature_data).toMatchObject({
      data: { Inlet: null, Outlet: null },
      error_message: expect.stringContaining('its first reading is not finished'),
    });
    for (const { temperature_data } of others) {
      expect(temperature_data).toMatchObject({ data: { Inlet: 21.5, Outlet: 5.25 }, error_flag: false });
    }
    // The reading of the next one has not begun yet.
    expect(Date.now() - at).toBeLessThan(2500);
    expect(tree.mostReading).toBe(1);
    run.unsubscribe();
  });

  it('of a sensor that hangs are missing with its name; the others are read, and it is well once it answers', async () => {
    const { run, tree, frames, notes } = await prepare();
    await frames(2);
    const { promise, resolve } = Promise.withResolvers<string>();
    tree.set(inlet, promise);
    const during = await frames(5);
    expect(during?.data).toEqual({ Inlet: null, Outlet: 5.25 });
    expect(during?.error_message).toMatch(/^Inlet \(28-00000ff8fa16\): it has not answered for/);
    expect(tree.reads.filter(path => path.includes(inlet)).length).toBeLessThan(6);
    const reads = tree.reads.length;
    tree.set(inlet, w1Slave(30));
    resolve(w1Slave(99));
    // What it says so late is of no use.
    expect((await frames())?.data.Inlet).not.toBe(99);
    expect((await frames())?.data).toEqual({ Inlet: 30, Outlet: 5.25 });
    expect(tree.reads.length).toBeGreaterThan(reads);
    expect(run.count('discarded')).toBe(0);
    expect(notes).toEqual([
      expect.stringContaining('temperature sensor Inlet (28-00000ff8fa16): it does not answer within 10 s'),
      'temperature sensor Inlet (28-00000ff8fa16): gives temperatures again',
    ]);
    run.unsubscribe();
  });

  it('are left alone once two sensors hang: no more threads are given to them', async () => {
    const third = '28-0000000000aa';
    const { run, tree, frames } = await prepare({ sensors: { ...both, [third]: 'Third' } });
    tree.set(third, w1Slave(1));
    await frames(2);
    tree.set(inlet, new Promise(() => undefined)).set(outlet, new Promise(() => undefined));
    const during = await frames(8);
    expect(tree.reading).toBe(2);
    expect(during?.data).toEqual({ Inlet: null, Outlet: null, Third: null });
    expect(during?.errors?.Third).toContain('it is not read while 2 other sensors do not answer');
    run.unsubscribe();
  });

  it.each([
    ['is pulled out', (tree: SensorTree) => tree.pull(inlet), 'is its cable plugged in'],
    ['does not answer', (tree: SensorTree) => tree.set(inlet, systemError('EIO')), 'EIO'],
    ['was without power a moment ago', (tree: SensorTree) => tree.set(inlet, powerOnText), '85 °C'],
  ])('of a sensor that %s are null and no other sensor stands in for it', async (_what, begin, message) => {
    const { run, tree, frames } = await prepare();
    await frames(2);
    begin(tree);
    const during = await frames();
    expect(during).toMatchObject({ data: { Inlet: null, Outlet: 5.25 }, error_flag: true });
    expect(during?.error_message).toContain(`Inlet (${inlet}): `);
    expect(during?.errors?.Inlet).toContain(message);
    expect(Object.keys(during?.errors ?? {})).toEqual(['Inlet']);
    tree.set(inlet, w1Slave(22));
    expect((await frames())?.data.Inlet).toBe(22);
    run.unsubscribe();
  });

  it('may really be 85 °C: where the sensor was near it before, or another one is', async () => {
    const { run, tree, frames } = await prepare();
    tree.set(inlet, w1Slave(78));
    await frames(2);
    tree.set(inlet, w1Slave(85)).set(outlet, w1Slave(85));
    expect(await frames()).toMatchObject({ data: { Inlet: 85, Outlet: 85 }, error_flag: false });
    tree.set(inlet, w1Slave(21)).set(outlet, w1Slave(21));
    await frames(1);
    tree.set(inlet, w1Slave(85)).set(outlet, w1Slave(85));
    expect((await frames())?.data).toEqual({ Inlet: null, Outlet: null });
    run.unsubscribe();
  });

  it('are flagged when a sensor says the same for too long, and the value stays', async () => {
    const { run, tree, frames, notes } = await prepare({ unchanged: 12 });
    let celsius = 5;
    tree.set(outlet, () => w1Slave((celsius += 0.0625)));
    expect((await frames(2))?.flags).toBeUndefined();
    const later = await frames(3);
    expect(later).toMatchObject({ error_flag: false, flags: { Inlet: ['unchanged'] } });
    expect(later?.data.Inlet).toBe(21.5);
    expect(notes).toEqual([expect.stringContaining('Inlet (28-00000ff8fa16): it has said 21.5 °C for too long')]);
    tree.set(inlet, w1Slave(21.6));
    expect((await frames())?.flags).toBeUndefined();
    run.unsubscribe();
  });

  it('have the names of the configuration at once when it changes, without another camera', async () => {
    const { run, tree, fixture, config$, frames } = await prepare();
    await frames(2);
    config$.next(configWith({ sensors: { [inlet]: 'Outlet', [outlet]: 'Inlet' } }));
    expect((await frames())?.data).toEqual({ Outlet: 21.5, Inlet: 5.25 });
    config$.next(configWith({ sensors: { [outlet]: 'Only' } }));
    const reads = tree.reads.length;
    expect((await frames(2))?.data).toEqual({ Only: 5.25 });
    expect(tree.reads.slice(reads).every(path => path.includes(outlet))).toBe(true);
    config$.next(configWith({ on: false }));
    expect(await frames()).toBeNull();
    expect(fixture.opened).toBe(1);
    run.unsubscribe();
  });

  it('belong to the frame when it is written late, since the disk was full', async () => {
    const { world, run, tree, frames } = await prepare();
    await frames(2);
    world.files.plan = ({ kind, path }) => (kind === 'write' && path.includes('.png') ? { short: 0 } : null);
    await vi.advanceTimersByTimeAsync(5000);
    await run.until(() => run.count('alarm') > 0);
    tree.set(inlet, w1Slave(40));
    await vi.advanceTimersByTimeAsync(4000);
    world.files.plan = () => null;
    await run.until(() => run.count('done') >= 3, 500);
    expect([...world.manifest.entries()].at(2)!.temperature_data?.data.Inlet).toBe(21.5);
    run.unsubscribe();
  });

  it('are not read while nobody takes frames, and end with the stage', async () => {
    const { run, tree, frames } = await prepare();
    await frames(2);
    run.stop$.next();
    await run.until(() => run.complete);
    const reads = tree.reads.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tree.reads.length).toBe(reads);
  });

  it('are those of the moment when a long exposure was triggered, or newer', async () => {
    const { run, fixture, tree, frames } = await prepare();
    await frames(2);
    fixture.onNext = () =>
      new Promise(resolve => {
        setTimeout(() => resolve(capturedFrame()), 60_000);
      });
    tree.set(inlet, w1Slave(30));
    const before = run.count('done');
    await vi.advanceTimersByTimeAsync(70_000);
    await run.until(() => run.count('done') > before);
    expect((await frames(0))?.data.Inlet).toBe(30);
    run.unsubscribe();
  });

  it('of an image that comes into a watched folder are those of the moment; an older image has none', async () => {
    const { run, world, fixture, tree, config$ } = await prepare({}, 'own');
    const coming: SourceFrame[] = [];
    let wake = (): void => undefined;
    fixture.arrivals = {
      has: () => coming.length > 0,
      subscribe: given => {
        wake = given;
        return { unsubscribe: () => undefined };
      },
      passOver: () => undefined,
    };
    fixture.onNext = async () => coming.shift() ?? null;
    run.start(fixture.stage({ ...run.tools, config$ }));
    await run.until(() => run.told.includes('running'));
    const arrive = async (taken: number) => {
      const before = run.count('done');
      const time = { local: localIso(taken), utc: utcIso(taken), source: 'mtime' as const };
      coming.push({ ...importedFrame(before), taken: time });
      wake();
      await run.until(() => run.count('done') > before);
      return [...world.manifest.entries()].at(-1)!.temperature_data;
    };
    for (let i = 0; i < 4; i++) {
      await vi.advanceTimersByTimeAsync(10_000);
      await run.rest();
    }
    tree.set(inlet, w1Slave(30));
    await vi.advanceTimersByTimeAsync(10_000);
    await run.rest();
    expect(await arrive(Date.now())).toMatchObject({ data: { Inlet: 30, Outlet: 5.25 }, error_flag: false });
    expect(await arrive(Date.now() - 3_600_000)).toBeNull();
    run.stop$.next();
    await run.until(() => run.complete);
    const reads = tree.reads.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tree.reads.length).toBe(reads);
  });

  it('are not read for a folder of images that are there already', async () => {
    const { run, fixture, tree, config$ } = await prepare({}, 'own');
    run.start(fixture.folder(3).stage({ ...run.tools, config$ }));
    await run.until(() => run.told.includes('stopped'));
    expect(run.count('done')).toBe(3);
    expect(tree.reads).toEqual([]);
  });

  it('are not read while the stage is paused, also when the configuration changes meanwhile', async () => {
    const { run, tree, config$, frames } = await prepare();
    await frames(2);
    run.paused$.next(true);
    await run.until(() => run.told.at(-1) === 'paused');
    const reads = tree.reads.length;
    config$.next(configWith({ sensors: { [outlet]: 'Only' } }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tree.reads.length).toBe(reads);
    run.paused$.next(false);
    await frames();
    expect((await frames())?.data).toEqual({ Only: 5.25 });
    run.unsubscribe();
  });
});
