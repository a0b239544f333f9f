import type { OperatorFunction } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StageEvent } from '../../../src/model/event.ts';
import type { StageName } from '../../../src/model/stageName.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { StageRun } from '../../world/stageRun.ts';

/** A stage with something to work on, as the compliance suite sees it; what goes wrong and when is the suite's to say. */
export interface StageUnderTest<S> {
  name: StageName;
  settings: S;
  /** Settings for a handover. */
  other: S;
  stage: (tools: StageRun<S>['tools']) => OperatorFunction<S, StageEvent>;
  /** Gives it so many more entries to work on. */
  offer: (count: number) => Promise<void>;
  /** Each work that begins from now on waits until this resolves; null: none does. */
  hold: (door: Promise<void> | null) => void;
  /** Each work fails with an error of the system that has this code, as the stage's failure; null: none does. */
  breakWork: (code: string | null) => void;
  /** The same for opening. */
  breakOpening: (code: string | null) => void;
  /** Ids of the entries that it has finished, in order. */
  finished: () => string[];
  /** Ids of the entries that are claimed by this stage. */
  claimed: () => string[];
  /** What its worker has open (source, workers, output), and the most at one time. */
  open: () => number;
  maxOpen: () => number;
  /** What its end comes with, besides a stop: with upstream, with its own source, or never. */
  endsBy: 'upstream' | 'itself' | 'stop';
  /** How long until it looks for more by itself, ms. */
  tickMs: number;
}

/** What every stage promises. `make` gives a stage that has never run, on a world of its own. */
export function describeStage<S>(title: string, make: () => Promise<StageUnderTest<S>>): void {
  describe(`${title} as a stage`, () => {
    beforeEach(useStillTime);
    const runs: StageRun<S>[] = [];
    afterEach(async () => {
      // Also after a test that failed: what it left running would be seen by the next one.
      for (const run of runs.splice(0)) {
        run.unsubscribe();
        await run.putAway();
      }
      vi.useRealTimers();
    });

    async function begin(
      offered: number,
      prepare: (stage: StageUnderTest<S>, run: StageRun<S>) => void = () => undefined,
    ) {
      const stage = await make();
      const run = new StageRun<S>(stage.settings);
      runs.push(run);
      await stage.offer(offered);
      prepare(stage, run);
      run.start(stage.stage(run.tools));
      return { stage, run, status: () => run.status(stage.name) };
    }

    function door() {
      const { promise, resolve } = Promise.withResolvers<void>();
      return { promise, open: () => resolve() };
    }

    it('meters itself: what is claimed adds up to what became of it, and nothing stays in flight', async () => {
      const { stage, run, status } = await begin(5);
      await run.until(() => stage.finished().length === 5, stage.tickMs);
      await run.until(() => status().in_flight === 0);
      await run.rest();
      const claimed = run.events.reduce((sum, event) => sum + (event.kind === 'claimed' ? event.count : 0), 0);
      const discarded = run.events.filter(event => event.kind === 'discarded' && event.entryId !== null).length;
      const { done, failed, lost, state, alarms } = status();
      expect(claimed).toBe(done + failed + discarded);
      expect({ done, failed, lost, alarms }).toEqual({ done: 5, failed: 0, lost: 0, alarms: [] });
      expect(stage.endsBy === 'itself' ? 'stopped' : 'running').toBe(state);
      expect(run.events.every(event => event.stage === stage.name)).toBe(true);
      expect(run.told.slice(0, 2)).toEqual(['starting', 'running']);
    });

    it('has in flight what it has claimed, and no more than it says', async () => {
      const held = door();
      const { stage, run, status } = await begin(5, each => each.hold(held.promise));
      await run.until(() => status().in_flight > 0);
      await run.rest();
      expect(stage.claimed().length).toBeLessThanOrEqual(status().in_flight);
      held.open();
    });

    it('drains on a stop: finishes what is in flight, takes no more, closes, completes', async () => {
      const held = door();
      const { stage, run, status } = await begin(5, each => each.hold(held.promise));
      await run.until(() => status().in_flight > 0);
      await run.rest();
      const inFlight = status().in_flight;
      run.stop$.next();
      await run.rest();
      expect(run.complete).toBe(false);
      expect(run.told.at(-1)).toBe('draining');
      held.open();
      await run.until(() => run.complete);
      expect(status()).toMatchObject({ done: inFlight, in_flight: 0, state: 'stopped', alarms: [] });
      expect([stage.open(), stage.claimed(), run.tracked.size, vi.getTimerCount()]).toEqual([0, [], 0, 0]);
    });

    it('completes on a stop with nothing to do, and leaves nothing open', async () => {
      const { stage, run } = await begin(0);
      await run.rest();
      run.stop$.next();
      await run.until(() => run.complete);
      expect([run.told.at(-1), stage.open(), vi.getTimerCount()]).toEqual(['stopped', 0, 0]);
    });

    it('ends when upstream is done and its queue is empty', async () => {
      const { stage, run } = await begin(5);
      run.settings$.complete();
      if (stage.endsBy === 'upstream') run.upstreamDone$.next();
      if (stage.endsBy === 'stop') run.stop$.next();
      await run.until(() => run.complete, stage.tickMs);
      // One that was opening when it was stopped is closed as soon as it is open.
      await run.putAway();
      if (stage.endsBy !== 'stop') expect(stage.finished()).toHaveLength(5);
      expect([run.told.at(-1), stage.open(), stage.claimed()]).toEqual(['stopped', 0, []]);
    });

    it('releases every claim when it is cut short, and closes', async () => {
      const held = door();
      const { stage, run, status } = await begin(5, each => each.hold(held.promise));
      await run.until(() => status().in_flight > 0);
      await run.rest();
      const told = run.told.length;
      run.unsubscribe();
      held.open();
      await run.putAway();
      expect([stage.claimed(), stage.open(), vi.getTimerCount(), run.told.length]).toEqual([[], 0, 0, told]);
    });

    it('does so at any instant, and a stage that comes after finishes everything once', async () => {
      for (let instant = 0; instant < 60; instant++) {
        const { stage, run } = await begin(3);
        await vi.advanceTimersByTimeAsync(0);
        for (let i = 0; i < instant; i++) await null;
        run.unsubscribe();
        await run.putAway();
        expect([stage.claimed(), stage.open(), stage.maxOpen() <= 1]).toEqual([[], 0, true]);
        if (instant % 10 > 0) continue;
        // A frame that a camera was taking went with it.
        if (stage.endsBy === 'stop') await stage.offer(3);
        const next = new StageRun<S>(stage.settings);
        next.start(stage.stage(next.tools));
        await next.until(() => new Set(stage.finished()).size >= 3, stage.tickMs);
        next.stop$.next();
        await next.until(() => next.complete);
        expect(stage.finished()).toEqual([...new Set(stage.finished())]);
      }
    });

    it('is alarmed by a failure of its work, releases everything meanwhile, and is well by itself', async () => {
      const { stage, run, status } = await begin(5, each => each.breakWork('EIO'));
      await run.until(() => run.count('alarm') === 1);
      expect(run.events.at(-1)).toMatchObject({
        stage: stage.name,
        kind: 'alarm',
        key: 'EIO',
        message: expect.stringContaining('EIO'),
        retryInMs: expect.any(Number),
      });
      expect(status()).toMatchObject({ in_flight: 0, done: 0, failed: 0, alarms: ['EIO'], state: 'starting' });
      expect([stage.claimed(), stage.open(), run.error]).toEqual([[], 0, null]);
      await run.until(() => run.count('alarm') === 3, 500);
      stage.breakWork(null);
      await run.until(() => stage.finished().length >= 5, Math.max(500, stage.tickMs));
      expect(status()).toMatchObject({ failed: 0, alarms: [] });
      expect(stage.maxOpen()).toBe(1);
    });

    it('is alarmed when it can not open, tries again after growing waits, and is well by itself', async () => {
      const { stage, run, status } = await begin(1, each => each.breakOpening('ENOENT'));
      await run.until(() => run.count('alarm') === 3, 500);
      const waits = run.events.flatMap(event => (event.kind === 'alarm' ? [event.retryInMs] : []));
      expect(waits).toEqual([waits[0], waits[0]! * 2, waits[0]! * 4]);
      expect([status().alarms, stage.open(), stage.claimed()]).toEqual([['ENOENT'], 0, []]);
      stage.breakOpening(null);
      await run.until(() => stage.finished().length >= 1, 500);
      expect(status().alarms).toEqual([]);
    });

    it('ends its wait, with nothing open, when it is stopped while it can not work', async () => {
      const { stage, run } = await begin(1, each => each.breakOpening('ENOENT'));
      await run.until(() => run.count('alarm') === 1);
      run.stop$.next();
      await run.until(() => run.complete);
      expect([run.told.at(-1), stage.open(), vi.getTimerCount()]).toEqual(['stopped', 0, 0]);
    });

    it('hands over on new settings: one after the other, and nothing is lost or done twice', async () => {
      const held = door();
      const { stage, run, status } = await begin(5, each => each.hold(held.promise));
      await run.until(() => status().in_flight > 0);
      await run.rest();
      run.settings$.next(stage.other);
      await run.rest();
      expect(run.told.at(-1)).toBe('draining');
      stage.hold(null);
      held.open();
      await run.until(() => stage.finished().length >= 5, stage.tickMs);
      expect(run.told.filter(told => told === 'running')).toHaveLength(2);
      expect(stage.finished()).toEqual([...new Set(stage.finished())]);
      expect([stage.maxOpen(), status().alarms]).toEqual([1, []]);
      run.stop$.next();
      await run.until(() => run.complete);
      expect([stage.open(), stage.claimed()]).toEqual([0, []]);
    });

    it('gives a sign of life whenever it looks for work', async () => {
      const { stage, run } = await begin(1);
      await run.until(() => stage.finished().length === 1, stage.tickMs);
      await run.rest();
      expect(run.alive.length).toBeGreaterThan(0);
      expect(new Set(run.alive)).toEqual(new Set([stage.name]));
    });

    it('pauses: finishes what is in flight, closes, and claims nothing until it is resumed', async () => {
      const held = door();
      const { stage, run, status } = await begin(5, each => each.hold(held.promise));
      await run.until(() => status().in_flight > 0);
      await run.rest();
      const inFlight = status().in_flight;
      run.paused$.next(true);
      await run.rest();
      expect(run.told.at(-1)).toBe('draining');
      stage.hold(null);
      held.open();
      await run.until(() => status().state === 'paused');
      expect(run.told.slice(-2)).toEqual(['stopped', 'paused']);
      expect(status()).toMatchObject({ done: inFlight, in_flight: 0, alarms: [] });
      expect([stage.open(), stage.claimed(), vi.getTimerCount()]).toEqual([0, [], 0]);

      await stage.offer(2);
      const told = run.told.length;
      await vi.advanceTimersByTimeAsync(Math.max(60_000, 3 * stage.tickMs));
      await run.rest();
      expect([run.told.length, stage.finished().length, stage.claimed()]).toEqual([told, inFlight, []]);

      run.paused$.next(false);
      await run.until(() => run.told.includes('running', told) && stage.finished().length >= 5, stage.tickMs);
      expect(run.told.slice(told, told + 2)).toEqual(['starting', 'running']);
      expect(stage.finished()).toEqual([...new Set(stage.finished())]);
      expect(stage.maxOpen()).toBe(1);
    });

    it('paused from the start opens nothing, whatever its settings become, and begins with the newest', async () => {
      const { stage, run, status } = await begin(1, (_each, prepared) => prepared.paused$.next(true));
      await run.rest();
      run.settings$.next(stage.other);
      await run.rest();
      expect([run.told, stage.maxOpen(), vi.getTimerCount()]).toEqual([['paused'], 0, 0]);
      run.paused$.next(false);
      await run.until(() => stage.finished().length >= 1, stage.tickMs);
      expect(status().state === 'running' || stage.endsBy === 'itself').toBe(true);
      expect(run.count('alarm')).toBe(0);
    });

    it('is well when it is paused while it can not work, and ends its wait', async () => {
      const { stage, run, status } = await begin(1, each => each.breakOpening('ENOENT'));
      await run.until(() => run.count('alarm') === 1);
      run.paused$.next(true);
      await run.until(() => status().state === 'paused');
      expect([status().alarms, stage.open(), vi.getTimerCount()]).toEqual([[], 0, 0]);
      run.paused$.next(false);
      await run.until(() => run.count('alarm') === 2);
      expect(status().alarms).toEqual(['ENOENT']);
    });

    it('stops while it is paused, and completes', async () => {
      const held = door();
      const { stage, run, status } = await begin(5, each => each.hold(held.promise));
      await run.until(() => status().in_flight > 0);
      run.paused$.next(true);
      held.open();
      await run.until(() => run.told.at(-1) === 'paused');
      run.stop$.next();
      await run.until(() => run.complete);
      expect([run.told.at(-1), stage.open(), stage.claimed(), vi.getTimerCount()]).toEqual(['stopped', 0, [], 0]);
    });

    it('waits, paused, when upstream is done, and does the rest when it is resumed', async () => {
      const { stage, run, status } = await begin(5, (_each, prepared) => prepared.paused$.next(true));
      run.settings$.complete();
      if (stage.endsBy === 'upstream') run.upstreamDone$.next();
      await run.rest();
      expect([run.complete, status().state, stage.finished()]).toEqual([false, 'paused', []]);
      run.paused$.next(false);
      await run.until(() => stage.finished().length >= 5, stage.tickMs);
      if (stage.endsBy !== 'stop') await run.until(() => run.complete, stage.tickMs);
    });
  });
}
