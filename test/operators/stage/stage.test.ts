import { take } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useStillTime } from '../../world/eventRun.ts';
import { StageRun } from '../../world/stageRun.ts';
import { type BenchSettings, failure, gate, StageBench } from '../../world/stageWorld.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

function begin(bench: StageBench, settings: BenchSettings = { name: 'a' }): StageRun<BenchSettings> {
  const run = new StageRun(settings);
  return run.start(bench.stage(run.tools));
}

const counts = (run: StageRun<BenchSettings>) => {
  const { in_flight, done, failed, discarded, state, alarms } = run.status('compressor');
  return { in_flight, done, failed, discarded, state, alarms };
};

describe('stage', () => {
  it('opens, works on what waits and on what comes, and tells of it', async () => {
    const bench = new StageBench();
    bench.offer('1', 'bad2');
    const run = begin(bench);
    await run.rest();
    bench.offer('odd3');
    await run.rest();
    expect(run.told.slice(0, 4)).toEqual(['starting', 'running', 'claimed 1', 'claimed 1']);
    expect(run.told.slice(4)).toEqual(['done 1', 'failed bad2', 'claimed 1', 'discarded odd3']);
    expect(counts(run)).toEqual({ in_flight: 0, done: 1, failed: 1, discarded: 1, state: 'running', alarms: [] });
    expect(bench.log).toEqual(['open a']);
    run.unsubscribe();
  });

  it('has no more in flight than the station has places, and one claim at a time', async () => {
    const bench = new StageBench();
    const doors = Array.from({ length: 10 }, gate);
    bench.onPerform = item => doors[Number(item)]!.pass();
    bench.onClaim = async () => undefined;
    bench.offer(...'0123456789');
    const run = begin(bench, { name: 'a', concurrency: 3, batch: 2 });
    for (let i = 0; i < 10; i++) {
      await run.rest();
      expect(run.status('compressor').in_flight).toBe(Math.min(3, 10 - i));
      bench.wake$.next();
      doors[i]!.open();
    }
    run.upstreamDone$.next();
    await run.until(() => run.status('compressor').done === 10);
    expect([bench.mostInFlight, bench.mostClaiming]).toEqual([3, 1]);
    run.unsubscribe();
  });

  it('looks once more after a wake-up during a claim', async () => {
    const bench = new StageBench();
    const run = begin(bench);
    await run.rest();
    const door = gate();
    let claims = 0;
    bench.onClaim = () => {
      claims++;
      return door.pass();
    };
    bench.wake$.next();
    bench.wake$.next();
    bench.wake$.next();
    door.open();
    await run.rest();
    expect(claims).toBe(2);
    run.unsubscribe();
  });

  it('completes when upstream is done and the queue is empty, and closes first', async () => {
    const bench = new StageBench();
    const run = begin(bench);
    run.settings$.complete();
    const door = gate();
    bench.onClose = () => door.pass();
    bench.offer('1', '2', '3');
    run.upstreamDone$.next();
    await run.until(() => bench.log.includes('close a'));
    expect(bench.settled).toEqual(['1', '2', '3']);
    expect(run.complete).toBe(false);
    door.open();
    await run.rest();
    expect(run.complete).toBe(true);
    expect(run.told.at(-1)).toBe('stopped');
    expect([bench.open, run.tracked.size]).toEqual([0, 0]);
  });

  it('goes on when its station has nothing more to wake it with', async () => {
    const bench = new StageBench();
    const run = begin(bench);
    await run.rest();
    bench.wake$.complete();
    await run.rest();
    expect(run.told.at(-1)).toBe('running');
    run.unsubscribe();
  });

  describe('when it is stopped', () => {
    it('finishes what is in flight, claims no more, closes and completes', async () => {
      const bench = new StageBench();
      const door = gate();
      bench.onPerform = () => door.pass();
      bench.offer('1', '2', '3');
      const run = begin(bench);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect(run.told.at(-1)).toBe('draining');
      bench.wake$.next();
      door.open();
      await run.rest();
      expect(run.told.slice(-3)).toEqual(['done 1', 'done 2', 'stopped']);
      expect(run.complete).toBe(true);
      expect(bench.waiting).toEqual(['3']);
      expect(bench.log).toEqual(['open a', 'close a']);
    });

    it('works on what a claim brings that was on its way, and tells a claim that waits to leave', async () => {
      const bench = new StageBench();
      bench.onClaim = leaving =>
        new Promise<void>(resolve => {
          leaving.addEventListener('abort', () => resolve(), { once: true });
        });
      bench.offer('1');
      const run = begin(bench);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect(run.complete).toBe(true);
      expect(bench.settled).toEqual(['1']);
      expect(run.told.slice(-4)).toEqual(['draining', 'claimed 1', 'done 1', 'stopped']);
    });

    it('does not wait for a station that is still opening, and closes it when it has', async () => {
      const bench = new StageBench();
      const door = gate();
      let aborted = false;
      bench.onOpen = (_settings, signal) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        return door.pass();
      };
      const run = begin(bench);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect([run.complete, aborted, run.tracked.size > 0]).toEqual([true, true, true]);
      door.open();
      await run.putAway();
      expect(bench.log).toEqual(['open a', 'cut a']);
      expect(bench.open).toBe(0);
    });

    it('never opens when that was before', async () => {
      const bench = new StageBench();
      const run = new StageRun<BenchSettings>({ name: 'a' });
      run.stop$.next();
      run.start(bench.stage(run.tools));
      await run.rest();
      expect([run.complete, bench.log]).toEqual([true, []]);
    });

    it('says what fails while it finishes, and completes all the same', async () => {
      const bench = new StageBench();
      const door = gate();
      bench.onPerform = () => door.pass();
      bench.offer('1', '2');
      const run = begin(bench);
      await run.rest();
      run.stop$.next();
      door.fail(failure('EIO'));
      await run.rest();
      expect(run.told.slice(-3)).toEqual(['draining', 'alarm EIO', 'stopped']);
      expect(run.complete).toBe(true);
      expect([...bench.claimed]).toEqual([]);
      expect(counts(run)).toMatchObject({ in_flight: 0, alarms: ['EIO'] });
    });

    it('ends a wait after a failure at once', async () => {
      const bench = new StageBench();
      bench.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = begin(bench);
      await run.rest();
      run.stop$.next();
      await run.rest();
      expect(run.told).toEqual(['starting', 'alarm ENOENT', 'stopped']);
      expect([run.complete, vi.getTimerCount()]).toEqual([true, 0]);
    });
  });

  describe('a failure', () => {
    it('of the opening is an alarm; it tries again after 1, 2, 4 s, and is well when it has opened', async () => {
      const bench = new StageBench();
      bench.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = begin(bench);
      await run.rest();
      for (const seconds of [1, 2, 4]) {
        const tries = bench.log.length;
        await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
        expect(bench.log.length).toBe(tries);
        await vi.advanceTimersByTimeAsync(1);
        expect(bench.log.length).toBe(tries + 1);
      }
      bench.onOpen = async () => undefined;
      await vi.advanceTimersByTimeAsync(8000);
      await run.rest();
      expect(run.told.slice(-3)).toEqual(['alarm ENOENT', 'well ENOENT', 'running']);
      expect(counts(run)).toMatchObject({ alarms: [], state: 'running' });
      expect(run.events.filter(event => event.kind === 'alarm').map(event => event.retryInMs)).toEqual([
        1000, 2000, 4000, 8000,
      ]);
      run.unsubscribe();
    });

    it('of a work gives back everything in flight, closes, tells, and tries the item again', async () => {
      const bench = new StageBench();
      const doors: Record<string, ReturnType<typeof gate>> = { 1: gate(), 2: gate() };
      bench.onPerform = item => doors[item]!.pass();
      bench.offer('1', '2');
      const run = begin(bench);
      await run.rest();
      expect(run.status('compressor').in_flight).toBe(2);
      doors[1]!.fail(failure('ENOSPC'));
      await run.rest();
      expect(bench.log).toEqual(['open a', 'give back 1 2', 'cut a']);
      expect([...bench.claimed]).toEqual([]);
      expect(counts(run)).toMatchObject({ in_flight: 0, state: 'starting', alarms: ['ENOSPC'] });
      // What the other one still comes to is nothing any more.
      doors[2]!.open();
      bench.onPerform = async () => undefined;
      await run.until(() => run.status('compressor').done === 2, 100);
      expect([...bench.settled].sort()).toEqual(['1', '2']);
      expect(run.told.slice(-5)).toEqual(['claimed 1', 'claimed 1', 'well ENOSPC', 'done 2', 'done 1']);
      run.unsubscribe();
    });

    it('of a work again and again backs off, though opening goes well each time', async () => {
      const bench = new StageBench();
      bench.onPerform = () => Promise.reject(failure('EIO'));
      bench.offer('1');
      const run = begin(bench);
      await run.until(() => run.count('alarm') === 4, 500);
      expect(run.events.flatMap(event => (event.kind === 'alarm' ? [event.retryInMs] : []))).toEqual([
        1000, 2000, 4000, 8000,
      ]);
      expect(run.told).not.toContain('well EIO');
      expect(bench.mostOpen).toBe(1);
      run.unsubscribe();
    });

    describe('of a work whose item nobody wants any more', () => {
      async function failed() {
        const bench = new StageBench();
        bench.onPerform = () => Promise.reject(failure('EIO'));
        bench.offer('1');
        const run = begin(bench);
        await run.rest();
        expect(run.told.at(-1)).toBe('alarm EIO');
        return { bench, run };
      }

      it('is over once it has run for ten seconds with nothing in hand', async () => {
        const { bench, run } = await failed();
        bench.waiting.splice(0);
        await vi.advanceTimersByTimeAsync(1000 + 9999);
        await run.rest();
        expect([run.told.at(-1), counts(run).alarms]).toEqual(['running', ['EIO']]);
        await vi.advanceTimersByTimeAsync(1);
        expect([run.told.at(-1), counts(run).alarms]).toEqual(['well EIO', []]);
        expect(vi.getTimerCount()).toBe(0);
        // The next failure is a first one.
        bench.offer('2');
        await run.rest();
        expect(run.events.at(-1)).toMatchObject({ kind: 'alarm', retryInMs: 1000 });
        run.unsubscribe();
        await run.putAway();
        expect(vi.getTimerCount()).toBe(0);
      });

      it.each(['onClaim', 'onPerform'] as const)('is not over while something takes long (%s)', async which => {
        const { bench, run } = await failed();
        const door = gate();
        bench[which] = () => door.pass();
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
        const bench = new StageBench();
        bench[which] = () => {
          throw failure('EIO');
        };
        bench.offer('1');
        const run = begin(bench);
        await run.rest();
        expect(run.told.at(-1)).toBe('alarm EIO');
        expect([bench.open, bench.claimed.size]).toEqual([0, 0]);
        bench[which] = async () => undefined;
        await run.until(() => run.status('compressor').done === 1, 500);
        run.unsubscribe();
      },
    );

    it('of a claim, of a wake-up, of the closing at the end', async () => {
      const bench = new StageBench();
      bench.onClaim = () => Promise.reject(failure('EIO'));
      const run = begin(bench);
      run.settings$.complete();
      await run.rest();
      bench.onClaim = async () => undefined;
      await run.until(() => bench.open === 1, 500);
      bench.onClose = () => Promise.reject(failure('EROFS'));
      run.upstreamDone$.next();
      await run.until(() => run.told.includes('alarm EROFS'), 500);
      expect(run.complete).toBe(false);
      bench.onClose = async () => undefined;
      await run.until(() => run.complete, 500);
      expect(run.told.slice(-2)).toEqual(['well EROFS', 'stopped']);
    });

    it('closes its station also when giving back fails, and names both', async () => {
      const bench = new StageBench();
      bench.onPerform = () => Promise.reject(failure('EIO'));
      bench.onGiveBack = () => Promise.reject(new Error('nobody takes it'));
      bench.offer('1');
      const run = begin(bench);
      await run.rest();
      expect(bench.log).toEqual(['open a', 'give back 1', 'cut a']);
      expect(run.events.at(-1)).toMatchObject({
        kind: 'alarm',
        key: 'EIO',
        message: expect.stringMatching(/EIO.*nobody takes it/),
      });
      run.unsubscribe();
    });

    it('takes the place of another one: one alarm stands at a time, and none when all is well', async () => {
      const bench = new StageBench();
      bench.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = begin(bench);
      await run.rest();
      bench.onOpen = () => Promise.reject(failure('EACCES'));
      await run.until(() => run.told.includes('alarm EACCES'), 500);
      expect(counts(run).alarms).toEqual(['EACCES']);
      bench.onOpen = async () => undefined;
      await run.until(() => run.told.includes('running'), 500);
      expect(counts(run).alarms).toEqual([]);
      run.unsubscribe();
    });

    it.each([
      [new RangeError('far'), 'RangeError', 'far'],
      ['only text', 'Error', 'only text'],
      [undefined, 'Error', 'undefined'],
    ])('has a key and a message, whatever was thrown (%s)', async (thrown, key, message) => {
      const bench = new StageBench();
      bench.onOpen = () => Promise.reject(thrown);
      const run = begin(bench);
      await run.rest();
      expect(run.events.at(-1)).toMatchObject({ kind: 'alarm', key, message });
      run.unsubscribe();
    });

    it('spreads its waits', async () => {
      const bench = new StageBench();
      bench.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = new StageRun<BenchSettings>({ name: 'a' }, () => 0);
      run.start(bench.stage(run.tools));
      await run.rest();
      expect(run.events.at(-1)).toMatchObject({ kind: 'alarm', retryInMs: 750 });
      run.unsubscribe();
    });
  });

  describe('new settings', () => {
    it('let what is in flight finish and the old station close before the new one opens; nothing is lost', async () => {
      const bench = new StageBench();
      const door = gate();
      bench.onPerform = () => door.pass();
      bench.offer('1', '2', '3');
      const run = begin(bench);
      await run.rest();
      run.settings$.next({ name: 'b' });
      run.settings$.next({ name: 'c' });
      await run.rest();
      expect(bench.log).toEqual(['open a']);
      door.open();
      await run.rest();
      expect(bench.log).toEqual(['open a', 'close a', 'open c']);
      expect(bench.settled).toEqual(['1', '2', '3']);
      expect(run.told.filter(told => !told.startsWith('claimed'))).toEqual([
        ...['starting', 'running', 'draining', 'done 1', 'done 2', 'stopped'],
        ...['starting', 'running', 'done 3'],
      ]);
      expect(bench.mostOpen).toBe(1);
      run.unsubscribe();
    });

    it('cut off after half a minute what does not finish; its items come back, and its station closes first', async () => {
      const bench = new StageBench();
      const never = gate();
      bench.onPerform = () => never.pass();
      const closing = gate();
      bench.onClose = () => closing.pass();
      bench.offer('1');
      const run = begin(bench);
      await run.rest();
      run.settings$.next({ name: 'b' });
      await vi.advanceTimersByTimeAsync(29_999);
      expect(bench.log).toEqual(['open a']);
      await vi.advanceTimersByTimeAsync(1);
      await run.rest();
      expect(bench.log).toEqual(['open a', 'give back 1', 'cut a']);
      expect(counts(run)).toMatchObject({ in_flight: 0, state: 'starting' });
      bench.onPerform = async () => undefined;
      closing.open();
      await run.rest();
      expect(bench.log).toEqual(['open a', 'give back 1', 'cut a', 'open b']);
      expect(bench.settled).toEqual(['1']);
      expect(bench.mostOpen).toBe(1);
      run.unsubscribe();
    });

    it('wait for a station that opens late, and for its closing', async () => {
      const bench = new StageBench();
      const door = gate();
      bench.onOpen = ({ name }) => (name === 'a' ? door.pass() : Promise.resolve());
      const run = begin(bench);
      await run.rest();
      run.settings$.next({ name: 'b' });
      await run.rest();
      expect(bench.log).toEqual(['open a']);
      run.settings$.next({ name: 'c' });
      await run.rest();
      door.open();
      await run.rest();
      expect(bench.log).toEqual(['open a', 'cut a', 'open c']);
      expect(bench.mostOpen).toBe(1);
      run.unsubscribe();
    });

    it('end a wait after a failure, and the alarm', async () => {
      const bench = new StageBench();
      bench.onOpen = ({ name }) => (name === 'a' ? Promise.reject(failure('ENOENT')) : Promise.resolve());
      const run = begin(bench);
      await run.rest();
      run.settings$.next({ name: 'b' });
      await run.rest();
      expect(run.told).toEqual(['starting', 'alarm ENOENT', 'stopped', 'well ENOENT', 'starting', 'running']);
      run.unsubscribe();
    });

    it('switch it off and on', async () => {
      const bench = new StageBench();
      bench.offer('1');
      const run = begin(bench, { name: 'a', enabled: false });
      await run.rest();
      expect([run.told, bench.log]).toEqual([['off'], []]);
      run.settings$.next({ name: 'b' });
      await run.rest();
      run.settings$.next({ name: 'c', enabled: false });
      await run.rest();
      expect(run.told).toEqual([
        ...['off', 'starting', 'running', 'claimed 1', 'done 1', 'draining', 'stopped', 'off'],
      ]);
      expect(bench.open).toBe(0);
      run.stop$.next();
      expect(run.complete).toBe(true);
    });
  });

  it('that is off ends with what is upstream of it', async () => {
    const bench = new StageBench();
    const run = begin(bench, { name: 'a', enabled: false });
    run.settings$.complete();
    run.upstreamDone$.next();
    expect([run.told, run.complete]).toEqual([['off'], true]);
  });

  describe('cut short', () => {
    it('gives back what is in flight, then closes; nothing is told, and nothing is settled any more', async () => {
      const bench = new StageBench();
      const door = gate();
      const signals: AbortSignal[] = [];
      bench.onPerform = (_item, signal) => {
        signals.push(signal);
        return door.pass();
      };
      bench.offer('1', '2', '3');
      const run = begin(bench);
      await run.rest();
      const told = run.told.length;
      run.unsubscribe();
      expect(signals.map(signal => signal.aborted)).toEqual([true, true]);
      door.open();
      await run.putAway();
      expect(bench.log).toEqual(['open a', 'give back 1 2', 'cut a']);
      expect([bench.claimed.size, bench.open, bench.settled, run.told.length]).toEqual([0, 0, [], told]);
    });

    it('gives back what a claim brings that was on its way', async () => {
      const bench = new StageBench();
      const door = gate();
      bench.onClaim = () => door.pass();
      bench.offer('1', '2');
      const run = begin(bench);
      await run.rest();
      run.unsubscribe();
      door.open();
      await run.putAway();
      expect([bench.claimed.size, [...bench.waiting].sort(), bench.open]).toEqual([0, ['1', '2'], 0]);
    });

    it('closes a station that was still opening', async () => {
      const bench = new StageBench();
      const door = gate();
      bench.onOpen = () => door.pass();
      const run = begin(bench);
      await run.rest();
      run.unsubscribe();
      door.open();
      await run.putAway();
      expect(bench.log).toEqual(['open a', 'cut a']);
      expect(bench.open).toBe(0);
    });

    it('leaves no timer after a failure', async () => {
      const bench = new StageBench();
      bench.onOpen = () => Promise.reject(failure('ENOENT'));
      const run = begin(bench);
      await run.rest();
      expect(vi.getTimerCount()).toBe(1);
      run.unsubscribe();
      expect(vi.getTimerCount()).toBe(0);
    });

    it('is no error when giving back and closing fail: nobody listens', async () => {
      const bench = new StageBench();
      bench.onPerform = () => new Promise(() => undefined);
      bench.onGiveBack = () => Promise.reject(new Error('no'));
      bench.onClose = () => Promise.reject(new Error('nor this'));
      bench.offer('1');
      const run = begin(bench);
      await run.rest();
      run.unsubscribe();
      await run.rest();
      expect(bench.log).toEqual(['open a', 'give back 1', 'cut a']);
    });

    /** Events after which its listener leaves in the same instant. */
    it.each([1, 2, 3, 4, 5, 6, 7])('by its own event number %d leaves nothing open or claimed', async number => {
      const bench = new StageBench();
      bench.offer('1', '2', '3', '4', '5');
      const run = new StageRun<BenchSettings>({ name: 'a' });
      const stage = bench.stage(run.tools);
      run.start(source => source.pipe(stage, take(number)));
      await run.until(() => run.complete);
      await run.putAway();
      expect([bench.open, bench.claimed.size]).toEqual([0, 0]);
      expect([...bench.waiting, ...bench.settled].sort()).toEqual(['1', '2', '3', '4', '5']);
    });

    it('at any instant leaves nothing open or claimed', async () => {
      for (let microtasks = 0; microtasks < 120; microtasks++) {
        const bench = new StageBench();
        bench.offer('1', '2', '3', '4', '5');
        const run = begin(bench);
        for (let i = 0; i < microtasks; i++) await null;
        run.unsubscribe();
        await run.rest();
        await run.putAway();
        expect([bench.open, bench.claimed.size, bench.inFlight]).toEqual([0, 0, 0]);
        expect([...bench.waiting, ...bench.settled].sort()).toEqual(['1', '2', '3', '4', '5']);
      }
    });
  });

  it('at any instant of a handover keeps to one station and loses nothing', async () => {
    for (let microtasks = 0; microtasks < 120; microtasks++) {
      const bench = new StageBench();
      bench.offer('1', '2', '3', '4', '5');
      const run = begin(bench);
      for (let i = 0; i < microtasks; i++) await null;
      run.settings$.next({ name: 'b' });
      await run.until(() => bench.settled.length === 5);
      run.stop$.next();
      await run.until(() => run.complete);
      expect([bench.open, bench.mostOpen, bench.claimed.size]).toEqual([0, 1, 0]);
      expect([...bench.settled].sort()).toEqual(['1', '2', '3', '4', '5']);
    }
  });

  it('keeps nothing of what it has finished', async () => {
    const bench = new StageBench();
    const items = 5_000;
    let signals = 0;
    bench.onPerform = async (_item, signal) => {
      // A listener that stays would be seen as a leak by Node.
      signals += signal.aborted ? 0 : 1;
    };
    bench.waiting.push(...Array.from({ length: items }, (_, i) => String(i)));
    const run = new StageRun<BenchSettings>({ name: 'a', concurrency: 8, batch: 8 });
    let done = 0;
    let most = 0;
    const stage = bench.stage(run.tools);
    run.start(source => source.pipe(stage));
    await run.until(() => {
      done = bench.settled.length;
      most = Math.max(most, run.tracked.size, bench.claimed.size);
      return done === items;
    });
    await run.rest();
    expect(run.tracked.size).toBe(0);
    expect(most).toBeLessThan(100);
    expect(signals).toBe(items);
    run.unsubscribe();
  });
});
