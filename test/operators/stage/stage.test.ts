import { BehaviorSubject, Subject, take } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { logAlarm } from '../../../src/cli/drivePipeline.ts';
import type { PipelineEvent } from '../../../src/model/event.ts';
import type { PauseReason } from '../../../src/model/pauseReason.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { StageRun } from '../../world/stageRun.ts';
import { failure, gate, StageWorld, type WorldSettings } from '../../world/stageWorld.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

function begin(world: StageWorld, settings: WorldSettings = { name: 'a' }): StageRun<WorldSettings> {
  const run = new StageRun(settings);
  return run.start(world.stage(run.tools));
}

const counts = (run: StageRun<WorldSettings>) => {
  const { in_flight, done, failed, discarded, state, alarms } = run.status('compressor');
  return { in_flight, done, failed, discarded, state, alarms };
};

describe('stage', () => {
  it('opens, works on what waits and on what comes, and tells of it', async () => {
    const world = new StageWorld();
    world.offer('1', 'bad2');
    const run = begin(world);
    await run.rest();
    world.offer('odd3');
    await run.rest();
    expect(run.told.slice(0, 4)).toEqual(['starting', 'running', 'claimed 1', 'claimed 1']);
    expect(run.told.slice(4)).toEqual(['done 1', 'failed bad2', 'claimed 1', 'discarded odd3']);
    expect(counts(run)).toEqual({ in_flight: 0, done: 1, failed: 1, discarded: 1, state: 'running', alarms: [] });
    expect(world.log).toEqual(['open a']);
    run.unsubscribe();
  });

  it('has no more in flight than the worker has places, and one claim at a time', async () => {
    const world = new StageWorld();
    const doors = Array.from({ length: 10 }, gate);
    world.onPerform = item => doors[Number(item)]!.pass();
    world.onClaim = async () => undefined;
    world.offer(...'0123456789');
    const run = begin(world, { name: 'a', concurrency: 3, batch: 2 });
    for (let i = 0; i < 10; i++) {
      await run.rest();
      expect(run.status('compressor').in_flight).toBe(Math.min(3, 10 - i));
      world.wake$.next();
      doors[i]!.open();
    }
    run.upstreamDone$.next();
    await run.until(() => run.status('compressor').done === 10);
    expect([world.maxInFlight, world.maxClaiming]).toEqual([3, 1]);
    run.unsubscribe();
  });

  it('looks once more after a wake-up during a claim', async () => {
    const world = new StageWorld();
    const run = begin(world);
    await run.rest();
    const door = gate();
    let claims = 0;
    world.onClaim = () => {
      claims++;
      return door.pass();
    };
    world.wake$.next();
    world.wake$.next();
    world.wake$.next();
    door.open();
    await run.rest();
    expect(claims).toBe(2);
    run.unsubscribe();
  });

  it('completes when upstream is done and the queue is empty, and closes first', async () => {
    const world = new StageWorld();
    const run = begin(world);
    run.settings$.complete();
    const door = gate();
    world.onClose = () => door.pass();
    world.offer('1', '2', '3');
    run.upstreamDone$.next();
    await run.until(() => world.log.includes('close a'));
    expect(world.settled).toEqual(['1', '2', '3']);
    expect(run.complete).toBe(false);
    door.open();
    await run.rest();
    expect(run.complete).toBe(true);
    expect(run.told.at(-1)).toBe('stopped');
    expect([world.open, run.tracked.size]).toEqual([0, 0]);
  });

  it('goes on when its worker has nothing more to wake it with', async () => {
    const world = new StageWorld();
    const run = begin(world);
    await run.rest();
    world.wake$.complete();
    await run.rest();
    expect(run.told.at(-1)).toBe('running');
    run.unsubscribe();
  });

  describe('when it is stopped', () => {
    it('finishes what is in flight, claims no more, closes and completes', async () => {
      const world = new StageWorld();
      const door = gate();
      world.onPerform = () => door.pass();
      world.offer('1', '2', '3');
      const run = begin(world);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect(run.told.at(-1)).toBe('draining');
      world.wake$.next();
      door.open();
      await run.rest();
      expect(run.told.slice(-3)).toEqual(['done 1', 'done 2', 'stopped']);
      expect(run.complete).toBe(true);
      expect(world.waiting).toEqual(['3']);
      expect(world.log).toEqual(['open a', 'close a']);
    });

    it('works on what a claim brings that was on its way, and tells a claim that waits to leave', async () => {
      const world = new StageWorld();
      world.onClaim = leaving =>
        new Promise<void>(resolve => {
          leaving.addEventListener('abort', () => resolve(), { once: true });
        });
      world.offer('1');
      const run = begin(world);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect(run.complete).toBe(true);
      expect(world.settled).toEqual(['1']);
      expect(run.told.slice(-4)).toEqual(['draining', 'claimed 1', 'done 1', 'stopped']);
    });

    it('does not wait for a worker that is still opening, and closes it when it has', async () => {
      const world = new StageWorld();
      const door = gate();
      let aborted = false;
      world.onOpen = (_settings, signal) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return door.pass();
      };
      const run = begin(world);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect([run.complete, aborted, run.tracked.size > 0]).toEqual([true, true, true]);
      door.open();
      await run.putAway();
      expect(world.log).toEqual(['open a', 'cut a']);
      expect(world.open).toBe(0);
    });

    it('never opens when that was before', async () => {
      const world = new StageWorld();
      const run = new StageRun<WorldSettings>({ name: 'a' });
      run.stop$.next();
      run.start(world.stage(run.tools));
      await run.rest();
      expect([run.complete, world.log]).toEqual([true, []]);
    });

    it('says what fails while it finishes, and completes all the same', async () => {
      const world = new StageWorld();
      const door = gate();
      world.onPerform = () => door.pass();
      world.offer('1', '2');
      const run = begin(world);
      await run.rest();
      run.stop$.next();
      door.fail(failure('EIO'));
      await run.rest();
      expect(run.told.slice(-3)).toEqual(['draining', 'alarm EIO', 'stopped']);
      expect(run.complete).toBe(true);
      expect([...world.claimed]).toEqual([]);
      expect(counts(run)).toMatchObject({ in_flight: 0, alarms: ['EIO'] });
    });

    it('ends a wait after a failure at once', async () => {
      const world = new StageWorld();
      world.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = begin(world);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect(run.told).toEqual(['starting', 'alarm ENOENT', 'stopped']);
      expect([run.complete, vi.getTimerCount()]).toEqual([true, 0]);
    });
  });

  describe('a failure', () => {
    it('of the opening is an alarm; it tries again after 1, 2, 4 s, and is well when it has opened', async () => {
      const world = new StageWorld();
      world.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = begin(world);
      await run.rest();
      for (const seconds of [1, 2, 4]) {
        const tries = world.log.length;
        await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
        expect(world.log.length).toBe(tries);
        await vi.advanceTimersByTimeAsync(1);
        expect(world.log.length).toBe(tries + 1);
      }
      world.onOpen = async () => undefined;
      await vi.advanceTimersByTimeAsync(8000);
      await run.rest();
      expect(run.told.slice(-3)).toEqual(['alarm ENOENT', 'well ENOENT', 'running']);
      expect(counts(run)).toMatchObject({ alarms: [], state: 'running' });
      expect(run.events.filter(event => event.kind === 'alarm').map(event => event.retryInMs)).toEqual([
        1000, 2000, 4000, 8000,
      ]);
      run.unsubscribe();
    });

    it('of a work releases everything in flight, closes, tells, and tries the item again', async () => {
      const world = new StageWorld();
      const doors: Record<string, ReturnType<typeof gate>> = { 1: gate(), 2: gate() };
      world.onPerform = item => doors[item]!.pass();
      world.offer('1', '2');
      const run = begin(world);
      await run.rest();
      expect(run.status('compressor').in_flight).toBe(2);
      doors[1]!.fail(failure('ENOSPC'));
      await run.rest();
      expect(world.log).toEqual(['open a', 'release 1 2', 'cut a']);
      expect([...world.claimed]).toEqual([]);
      expect(counts(run)).toMatchObject({ in_flight: 0, state: 'starting', alarms: ['ENOSPC'] });
      // What the other one still comes to is nothing any more.
      doors[2]!.open();
      world.onPerform = async () => undefined;
      await run.until(() => run.status('compressor').done === 2, 100);
      expect([...world.settled].sort()).toEqual(['1', '2']);
      expect(run.told.slice(-5)).toEqual(['claimed 1', 'claimed 1', 'well ENOSPC', 'done 2', 'done 1']);
      run.unsubscribe();
    });

    it('of a work again and again backs off, though opening goes well each time', async () => {
      const world = new StageWorld();
      world.onPerform = () => Promise.reject(failure('EIO'));
      world.offer('1');
      const run = begin(world);
      await run.until(() => run.count('alarm') === 4, 500);
      expect(run.events.flatMap(event => (event.kind === 'alarm' ? [event.retryInMs] : []))).toEqual([
        1000, 2000, 4000, 8000,
      ]);
      expect(run.told).not.toContain('well EIO');
      expect(world.maxOpen).toBe(1);
      run.unsubscribe();
    });

    describe('of a work whose item nobody wants any more', () => {
      async function failed() {
        const world = new StageWorld();
        world.onPerform = () => Promise.reject(failure('EIO'));
        world.offer('1');
        const run = begin(world);
        await run.rest();
        expect(run.told.at(-1)).toBe('alarm EIO');
        return { world, run };
      }

      it('is over once it has run for ten seconds with nothing in hand', async () => {
        const { world, run } = await failed();
        world.waiting.splice(0);
        await vi.advanceTimersByTimeAsync(1000 + 9999);
        await run.rest();
        expect([run.told.at(-1), counts(run).alarms]).toEqual(['running', ['EIO']]);
        await vi.advanceTimersByTimeAsync(1);
        expect([run.told.at(-1), counts(run).alarms]).toEqual(['well EIO', []]);
        expect(vi.getTimerCount()).toBe(0);
        // The next failure is a first one.
        world.offer('2');
        await run.rest();
        expect(run.events.at(-1)).toMatchObject({ kind: 'alarm', retryInMs: 1000 });
        run.unsubscribe();
        await run.putAway();
        expect(vi.getTimerCount()).toBe(0);
      });

      it.each(['onClaim', 'onPerform'] as const)('is not over while something takes long (%s)', async which => {
        const { world, run } = await failed();
        const door = gate();
        world[which] = () => door.pass();
        await vi.advanceTimersByTimeAsync(120_000);
        await run.rest();
        expect(counts(run).alarms).toEqual(['EIO']);
        door.fail(failure('EIO'));
        await run.rest();
        expect(run.events.at(-1)).toMatchObject({ kind: 'alarm', retryInMs: 2000 });
        run.unsubscribe();
        await run.putAway();
        expect(vi.getTimerCount()).toBe(0);
      });
    });

    it.each(['onOpen', 'onClaim', 'onPerform'] as const)(
      'that is thrown before there is a promise is the same (%s)',
      async which => {
        const world = new StageWorld();
        world[which] = () => {
          throw failure('EIO');
        };
        world.offer('1');
        const run = begin(world);
        await run.rest();
        expect(run.told.at(-1)).toBe('alarm EIO');
        expect([world.open, world.claimed.size]).toEqual([0, 0]);
        world[which] = async () => undefined;
        await run.until(() => run.status('compressor').done === 1, 500);
        run.unsubscribe();
      },
    );

    it('of a claim, of a wake-up, of the closing at the end', async () => {
      const world = new StageWorld();
      world.onClaim = () => Promise.reject(failure('EIO'));
      const run = begin(world);
      run.settings$.complete();
      await run.rest();
      world.onClaim = async () => undefined;
      await run.until(() => world.open === 1, 500);
      world.onClose = () => Promise.reject(failure('EROFS'));
      run.upstreamDone$.next();
      await run.until(() => run.told.includes('alarm EROFS'), 500);
      expect(run.complete).toBe(false);
      world.onClose = async () => undefined;
      await run.until(() => run.complete, 500);
      expect(run.told.slice(-2)).toEqual(['well EROFS', 'stopped']);
    });

    it('closes its worker also when releasing fails, and names both', async () => {
      const world = new StageWorld();
      world.onPerform = () => Promise.reject(failure('EIO'));
      world.onGiveBack = () => Promise.reject(new Error('nobody takes it'));
      world.offer('1');
      const run = begin(world);
      await run.rest();
      expect(world.log).toEqual(['open a', 'release 1', 'cut a']);
      expect(run.events.at(-1)).toMatchObject({
        kind: 'alarm',
        key: 'EIO',
        message: expect.stringMatching(/EIO.*nobody takes it/),
      });
      run.unsubscribe();
    });

    it('takes the place of another one: one alarm stands at a time, and none when all is well', async () => {
      const world = new StageWorld();
      world.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = begin(world);
      await run.rest();
      world.onOpen = () => Promise.reject(failure('EACCES'));
      await run.until(() => run.told.includes('alarm EACCES'), 500);
      expect(counts(run).alarms).toEqual(['EACCES']);
      world.onOpen = async () => undefined;
      await run.until(() => run.told.includes('running'), 500);
      expect(counts(run).alarms).toEqual([]);
      run.unsubscribe();
    });

    it.each([
      [new RangeError('far'), 'RangeError', 'far'],
      ['only text', 'Error', 'only text'],
      [undefined, 'Error', 'undefined'],
    ])('has a key and a message, whatever was thrown (%s)', async (thrown, key, message) => {
      const world = new StageWorld();
      world.onOpen = () => Promise.reject(thrown);
      const run = begin(world);
      await run.rest();
      expect(run.events.at(-1)).toMatchObject({ kind: 'alarm', key, message });
      run.unsubscribe();
    });

    it('spreads its waits', async () => {
      const world = new StageWorld();
      world.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = new StageRun<WorldSettings>({ name: 'a' }, () => 0);
      run.start(world.stage(run.tools));
      await run.rest();
      expect(run.events.at(-1)).toMatchObject({ kind: 'alarm', retryInMs: 750 });
      run.unsubscribe();
    });
  });

  describe('new settings', () => {
    it('let what is in flight finish and the old worker close before the new one opens; nothing is lost', async () => {
      const world = new StageWorld();
      const door = gate();
      world.onPerform = () => door.pass();
      world.offer('1', '2', '3');
      const run = begin(world);
      await run.rest();
      run.settings$.next({ name: 'b' });
      run.settings$.next({ name: 'c' });
      await run.rest();
      expect(world.log).toEqual(['open a']);
      door.open();
      await run.rest();
      expect(world.log).toEqual(['open a', 'close a', 'open c']);
      expect(world.settled).toEqual(['1', '2', '3']);
      expect(run.told.filter(told => !told.startsWith('claimed'))).toEqual([
        ...['starting', 'running', 'draining', 'done 1', 'done 2', 'stopped'],
        ...['starting', 'running', 'done 3'],
      ]);
      expect(world.maxOpen).toBe(1);
      run.unsubscribe();
    });

    it('cut off after half a minute what does not finish; its items come back, and its worker closes first', async () => {
      const world = new StageWorld();
      const never = gate();
      world.onPerform = () => never.pass();
      const closing = gate();
      world.onClose = () => closing.pass();
      world.offer('1');
      const run = begin(world);
      await run.rest();
      run.settings$.next({ name: 'b' });
      await vi.advanceTimersByTimeAsync(29_999);
      expect(world.log).toEqual(['open a']);
      await vi.advanceTimersByTimeAsync(1);
      await run.rest();
      expect(world.log).toEqual(['open a', 'release 1', 'cut a']);
      expect(counts(run)).toMatchObject({ in_flight: 0, state: 'starting' });
      world.onPerform = async () => undefined;
      closing.open();
      await run.rest();
      expect(world.log).toEqual(['open a', 'release 1', 'cut a', 'open b']);
      expect(world.settled).toEqual(['1']);
      expect(world.maxOpen).toBe(1);
      run.unsubscribe();
    });

    it('wait for a worker that opens late, and for its closing', async () => {
      const world = new StageWorld();
      const door = gate();
      world.onOpen = ({ name }) => (name === 'a' ? door.pass() : Promise.resolve());
      const run = begin(world);
      await run.rest();
      run.settings$.next({ name: 'b' });
      await run.rest();
      expect(world.log).toEqual(['open a']);
      run.settings$.next({ name: 'c' });
      await run.rest();
      door.open();
      await run.rest();
      expect(world.log).toEqual(['open a', 'cut a', 'open c']);
      expect(world.maxOpen).toBe(1);
      run.unsubscribe();
    });

    it('end a wait after a failure, and the alarm', async () => {
      const world = new StageWorld();
      world.onOpen = ({ name }) => (name === 'a' ? Promise.reject(failure('ENOENT')) : Promise.resolve());
      const run = begin(world);
      await run.rest();
      run.settings$.next({ name: 'b' });
      await run.rest();
      expect(run.told).toEqual(['starting', 'alarm ENOENT', 'stopped', 'well ENOENT', 'starting', 'running']);
      run.unsubscribe();
    });

    it('switch it off and on', async () => {
      const world = new StageWorld();
      world.offer('1');
      const run = begin(world, { name: 'a', enabled: false });
      await run.rest();
      expect([run.told, world.log]).toEqual([['off'], []]);
      run.settings$.next({ name: 'b' });
      await run.rest();
      run.settings$.next({ name: 'c', enabled: false });
      await run.rest();
      expect(run.told).toEqual([
        ...['off', 'starting', 'running', 'claimed 1', 'done 1', 'draining', 'stopped', 'off'],
      ]);
      expect(world.open).toBe(0);
      run.stop$.next();
      expect(run.complete).toBe(true);
    });
  });

  it('that is off ends with what is upstream of it', async () => {
    const world = new StageWorld();
    const run = begin(world, { name: 'a', enabled: false });
    run.settings$.complete();
    run.upstreamDone$.next();
    expect([run.told, run.complete]).toEqual([['off'], true]);
  });

  describe('that is off', () => {
    const full = { key: 'no_room', message: 'the disk is full' };
    const begun = (settings: WorldSettings, reason: PauseReason | null) => {
      const world = new StageWorld();
      const run = new StageRun<WorldSettings>(settings);
      const pausedBy$ = new BehaviorSubject(reason);
      run.start(world.stage({ ...run.tools, pausedBy$ }));
      return { run, pausedBy$, world };
    };
    const off: WorldSettings = { name: 'a', enabled: false };

    it('neither rests nor has an alarm while the disk is full, at the start or later, nor when a person pauses it', async () => {
      const { run, pausedBy$, world } = begun(off, full);
      run.paused$.next(true);
      pausedBy$.next(null);
      pausedBy$.next(full);
      await run.rest();
      expect([run.told, world.log]).toEqual([['off'], []]);
      run.stop$.next();
      expect(run.complete).toBe(true);
    });

    it('rests, and says why, as soon as it is turned on, and is off again without a word of the disk', async () => {
      const { run, pausedBy$, world } = begun(off, full);
      const on: WorldSettings = { name: 'b' };
      run.settings$.next(on);
      await run.rest();
      expect(run.told.toSorted()).toEqual(['alarm no_room', 'off', 'paused']);
      run.settings$.next(off);
      await run.rest();
      expect(run.told.slice(3).toSorted()).toEqual(['off', 'well no_room']);
      run.settings$.next(on);
      await run.rest();
      expect(run.told.slice(5).toSorted()).toEqual(['alarm no_room', 'paused']);
      expect(world.log).toEqual([]);
      pausedBy$.next(null);
      await run.rest();
      expect(run.told.slice(7)).toEqual(expect.arrayContaining(['well no_room', 'starting', 'running']));
      expect(world.log).toEqual(['open b']);
      run.unsubscribe();
    });
  });

  describe('cut short', () => {
    it('releases what is in flight, then closes; nothing is told, and nothing is settled any more', async () => {
      const world = new StageWorld();
      const door = gate();
      const signals: AbortSignal[] = [];
      world.onPerform = (_item, signal) => {
        signals.push(signal);
        return door.pass();
      };
      world.offer('1', '2', '3');
      const run = begin(world);
      await run.rest();
      const told = run.told.length;
      run.unsubscribe();
      expect(signals.map(signal => signal.aborted)).toEqual([true, true]);
      door.open();
      await run.putAway();
      expect(world.log).toEqual(['open a', 'release 1 2', 'cut a']);
      expect([world.claimed.size, world.open, world.settled, run.told.length]).toEqual([0, 0, [], told]);
    });

    it('releases what a claim brings that was on its way', async () => {
      const world = new StageWorld();
      const door = gate();
      world.onClaim = () => door.pass();
      world.offer('1', '2');
      const run = begin(world);
      await run.rest();
      run.unsubscribe();
      door.open();
      await run.putAway();
      expect([world.claimed.size, [...world.waiting].sort(), world.open]).toEqual([0, ['1', '2'], 0]);
    });

    it('closes a worker that was still opening', async () => {
      const world = new StageWorld();
      const door = gate();
      world.onOpen = () => door.pass();
      const run = begin(world);
      await run.rest();
      run.unsubscribe();
      door.open();
      await run.putAway();
      expect(world.log).toEqual(['open a', 'cut a']);
      expect(world.open).toBe(0);
    });

    it('leaves no timer after a failure', async () => {
      const world = new StageWorld();
      world.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = begin(world);
      await run.rest();
      expect(vi.getTimerCount()).toBe(1);
      run.unsubscribe();
      expect(vi.getTimerCount()).toBe(0);
    });

    it('is no error when releasing and closing fail: nobody listens', async () => {
      const world = new StageWorld();
      world.onPerform = () => new Promise(() => undefined);
      world.onGiveBack = () => Promise.reject(new Error('no'));
      world.onClose = () => Promise.reject(new Error('nor this'));
      world.offer('1');
      const run = begin(world);
      await run.rest();
      run.unsubscribe();
      await run.rest();
      expect(world.log).toEqual(['open a', 'release 1', 'cut a']);
    });

    /** Events after which its listener leaves in the same instant. */
    it.each([1, 2, 3, 4, 5, 6, 7])('by its own event number %d leaves nothing open or claimed', async number => {
      const world = new StageWorld();
      world.offer('1', '2', '3', '4', '5');
      const run = new StageRun<WorldSettings>({ name: 'a' });
      const stage = world.stage(run.tools);
      run.start(source => source.pipe(stage, take(number)));
      await run.until(() => run.complete);
      await run.putAway();
      expect([world.open, world.claimed.size]).toEqual([0, 0]);
      expect([...world.waiting, ...world.settled].sort()).toEqual(['1', '2', '3', '4', '5']);
    });

    it('at any instant leaves nothing open or claimed', async () => {
      for (let microtasks = 0; microtasks < 120; microtasks++) {
        const world = new StageWorld();
        world.offer('1', '2', '3', '4', '5');
        const run = begin(world);
        for (let i = 0; i < microtasks; i++) await null;
        run.unsubscribe();
        await run.rest();
        await run.putAway();
        expect([world.open, world.claimed.size, world.inFlight]).toEqual([0, 0, 0]);
        expect([...world.waiting, ...world.settled].sort()).toEqual(['1', '2', '3', '4', '5']);
      }
    });
  });

  it('at any instant of a handover keeps to one worker and loses nothing', async () => {
    for (let microtasks = 0; microtasks < 120; microtasks++) {
      const world = new StageWorld();
      world.offer('1', '2', '3', '4', '5');
      const run = begin(world);
      for (let i = 0; i < microtasks; i++) await null;
      run.settings$.next({ name: 'b' });
      await run.until(() => world.settled.length === 5);
      run.stop$.next();
      await run.until(() => run.complete);
      expect([world.open, world.maxOpen, world.claimed.size]).toEqual([0, 1, 0]);
      expect([...world.settled].sort()).toEqual(['1', '2', '3', '4', '5']);
    }
  });

  it('keeps nothing of what it has finished', async () => {
    const world = new StageWorld();
    const items = 5_000;
    let signals = 0;
    world.onPerform = async (_item, signal) => {
      // A listener that stays would be seen as a leak by Node.
      signals += signal.aborted ? 0 : 1;
    };
    world.waiting.push(...Array.from({ length: items }, (_, i) => String(i)));
    const run = new StageRun<WorldSettings>({ name: 'a', concurrency: 8, batch: 8 });
    let done = 0;
    let most = 0;
    const stage = world.stage(run.tools);
    run.start(source => source.pipe(stage));
    await run.until(() => {
      done = world.settled.length;
      most = Math.max(most, run.tracked.size, world.claimed.size);
      return done === items;
    });
    await run.rest();
    expect(run.tracked.size).toBe(0);
    expect(most).toBeLessThan(100);
    expect(signals).toBe(items);
    run.unsubscribe();
  });
});

describe('the rounds of a worker', () => {
  /** Rounds whose ends a test decides. */
  class RoundWorld extends StageWorld {
    readonly due$ = new Subject<void>();
    readonly doors: ReturnType<typeof gate>[] = [];
    readonly signals: AbortSignal[] = [];
    override rounds = {
      due$: this.due$,
      run: async (isLast: boolean, signal: AbortSignal, leaving: AbortSignal) => {
        const name = `${isLast ? 'last round' : 'round'}${leaving.aborted ? ' on leaving' : ''}`;
        this.log.push(name);
        this.signals.push(signal);
        const door = gate();
        this.doors.push(door);
        await door.pass();
        this.log.push(`${name} ended`);
        return { files: 1 };
      },
    };
  }

  const rounds = (run: StageRun<WorldSettings>): number => run.count('round');

  it('begin at the start and when they are due, one at a time, beside the items, and count as none', async () => {
    const world = new RoundWorld();
    const run = begin(world);
    await run.rest();
    world.offer('1');
    world.due$.next();
    world.due$.next();
    await run.rest();
    expect([world.doors.length, run.status('compressor').done]).toEqual([1, 1]);
    const alive = run.alive.length;
    world.due$.next();
    // One that takes long is a sign of life all the same.
    expect(run.alive.length).toBe(alive + 1);
    world.doors[0]!.open();
    await run.rest();
    expect([world.doors.length, rounds(run)]).toEqual([2, 1]);
    world.doors[1]!.open();
    await run.rest();
    expect([world.doors.length, rounds(run)]).toEqual([2, 2]);
    expect(counts(run)).toMatchObject({ done: 1, in_flight: 0 });
    run.unsubscribe();
    await run.putAway();
  });

  it('end with a last one, after the last item and the round in hand, before the worker closes', async () => {
    const world = new RoundWorld();
    const item = gate();
    world.onPerform = () => item.pass();
    world.offer('1');
    const run = begin(world);
    await run.rest();
    run.upstreamDone$.next();
    run.settings$.complete();
    world.doors[0]!.open();
    await run.rest();
    expect(world.doors).toHaveLength(1);
    item.open();
    await run.rest();
    expect(run.complete).toBe(false);
    world.doors[1]!.open();
    await run.until(() => run.complete);
    expect(world.log).toEqual(['open a', 'round', 'round ended', 'last round', 'last round ended', 'close a']);
  });

  it('hear of a stop, also during the last one', async () => {
    for (const how of ['at a round', 'at the last one'] as const) {
      const world = new RoundWorld();
      let heard = 0;
      const { run: make } = world.rounds;
      world.rounds.run = (isLast, signal, leaving) => {
        leaving.addEventListener('abort', () => heard++);
        return make(isLast, signal, leaving);
      };
      const run = begin(world);
      await run.rest();
      if (how === 'at the last one') {
        run.upstreamDone$.next();
        world.doors[0]!.open();
        await run.rest();
        expect(world.log.at(-1)).toBe('last round');
      }
      run.stop$.next();
      await run.rest();
      expect([heard > 0, run.told.at(-1), run.complete]).toEqual([true, 'draining', false]);
      for (let i = 0; i < 2; i++) {
        world.doors[i]?.open();
        await run.rest();
      }
      await run.until(() => run.complete);
      expect(world.log.at(-1)).toBe('close a');
    }
  });

  it('that fail are the failure of the stage, and the next that goes through says that it is well', async () => {
    const world = new RoundWorld();
    const run = begin(world);
    await run.rest();
    world.doors[0]!.fail(failure('ENOSPC'));
    await run.until(() => run.count('alarm') === 1);
    expect(counts(run).alarms).toEqual(['ENOSPC']);
    await run.until(() => world.doors.length === 2, 500);
    await vi.advanceTimersByTimeAsync(60_000);
    // It is still at it, so nobody knows.
    expect([counts(run).alarms, world.log.filter(line => line.startsWith('last'))]).toEqual([['ENOSPC'], []]);
    world.doors[1]!.open();
    await run.rest();
    expect(counts(run).alarms).toEqual([]);
    run.unsubscribe();
    await run.putAway();
  });

  it('are cut off with the worker', async () => {
    const world = new RoundWorld();
    const run = begin(world);
    await run.rest();
    run.unsubscribe();
    expect(world.signals.map(({ aborted }) => aborted)).toEqual([true]);
    world.doors[0]!.open();
    await run.putAway();
    expect([world.log.includes('cut a'), world.log.includes('last round'), rounds(run)]).toEqual([true, false, 0]);
  });
});

it('a log that can not be written is an alarm of a stage that is on, also when that one is turned off meanwhile', () => {
  const told: string[] = [];
  const report = (event: PipelineEvent) => {
    if (event.kind === 'alarm' || event.kind === 'well') told.push(`${event.kind} ${event.stage}`);
  };
  const stages = ['collector', 'brightfield', 'processor', 'health'] as const;
  const log = logAlarm({ stages, report }, '/x/logs');
  const turn = (stage: (typeof stages)[number], state: 'off' | 'running') =>
    log.see({ kind: 'state', stage, at: 0, state });
  turn('brightfield', 'off');
  turn('health', 'off');
  expect(log.raise(new Error('ENOSPC'))).toBe("the log can't be written: ENOSPC");
  turn('health', 'running');
  log.raise(new Error('EIO'));
  turn('health', 'off');
  log.clear();
  log.clear();
  expect(told).toEqual([
    ...['alarm processor', 'well processor', 'alarm health', 'well health', 'alarm processor', 'well processor'],
  ]);
});
