import { describe, expect, it } from 'vitest';
import type { PipelineEvent, StageEvent } from '../../../src/model/event.ts';
import { emptyStatus, reduceStatus, type StatusState, statusOf } from '../../../src/sinks/status/statusOfEvents.ts';

const own = { host: 'pi', pid: 7, boot_id: 'boot', pid_start: 99 };
const t0 = Date.UTC(2026, 10, 28, 20);

/** A stage that is told of events in virtual time. */
class Told {
  #state: StatusState = emptyStatus;
  readonly #events: StageEvent[];

  constructor(...events: StageEvent[]) {
    this.#events = events.toSorted((a, b) => a.at - b.at);
  }

  /** The stage's status so many seconds after the beginning. */
  at(seconds: number) {
    const now = t0 + seconds * 1000;
    while (this.#events[0] && this.#events[0].at <= now)
      this.#state = reduceStatus(this.#state, this.#events.shift() as PipelineEvent);
    return statusOf(this.#state, own, { runId: 'run', startedAt: t0, at: now }).stages.processor!;
  }
}

const done = (seconds: number, detail: Record<string, number> = {}): StageEvent => ({
  kind: 'done',
  stage: 'processor',
  at: t0 + seconds * 1000,
  entryId: 'A',
  ms: 40,
  detail,
});
const claimed = (seconds: number): StageEvent => ({
  kind: 'claimed',
  stage: 'processor',
  at: t0 + seconds * 1000,
  count: 1,
});
const running = (seconds: number, places = 1): StageEvent => ({
  kind: 'state',
  stage: 'processor',
  at: t0 + seconds * 1000,
  state: 'running',
  places,
});
const asked = (seconds: number, perSecond: number): StageEvent => ({
  kind: 'pace',
  stage: 'processor',
  at: t0 + seconds * 1000,
  intervalMs: 1000 / perSecond,
  perMinute: perSecond * 60,
});

/** Items at a rate, each off its time by up to `jitter` gaps either way. */
function items(perSecond: number, from: number, to: number, jitter = 0): StageEvent[] {
  let seed = 7;
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647 - 0.5;
  };
  const count = Math.floor((to - from) * perSecond);
  return Array.from({ length: count }, (_, k) =>
    done(from + (k + 0.5 + 2 * jitter * random()) / perSecond, { rows: 10 }),
  );
}

const within5Percent = (found: number | null, wanted: number, what: string): void => {
  expect(Math.abs((found ?? 0) / wanted - 1), `${what}: ${found}`).toBeLessThan(0.05);
};

describe('the rate of a stage', () => {
  it.each([
    [2, 0],
    [2, 0.1],
    [40, 0],
    [40, 0.4],
  ])(
    'of %f a second, with a jitter of %f gaps, is within 5 %% from the third second on, whenever it is asked',
    (rate, jitter) => {
      const stage = new Told(running(0), ...items(rate, 0, 60, jitter));
      for (let at = 3; at < 60; at += 0.37) within5Percent(stage.at(at).per_second, rate, `after ${at} s`);
    },
  );

  it('of one in five seconds is right with the second one, and one a minute too; before it is not known', () => {
    for (const gap of [5, 60]) {
      const stage = new Told(running(0), asked(0, 1 / gap), ...items(1 / gap, 0, 20 * gap));
      expect(stage.at(gap * 0.4).per_second).toBeNull();
      expect(stage.at(gap * 1.4).per_second).toBeNull();
      for (let at = 1.6 * gap; at < 20 * gap; at += 0.37 * gap)
        within5Percent(stage.at(at).per_second, 1 / gap, `after ${at} s`);
    }
  });

  it('of one in five seconds, a tenth of a gap early or late, is within 5 % after five of them', () => {
    const stage = new Told(running(0), asked(0, 0.2), ...items(0.2, 0, 300, 0.05));
    for (let at = 28; at < 300; at += 1.7) within5Percent(stage.at(at).per_second, 0.2, `after ${at} s`);
  });

  it('is not changed by a first item that came late', () => {
    const late = items(0.2, 0, 60).map((item, i) => (i === 0 ? { ...item, at: item.at + 2_400 } : item));
    const stage = new Told(running(0), asked(0, 0.2), ...late);
    expect(stage.at(8).per_second).toBeNull();
    for (let at = 13; at < 60; at += 0.9) within5Percent(stage.at(at).per_second, 0.2, `after ${at} s`);
  });

  it('of batches is that of their items, however many come at once', () => {
    const batches = Array.from({ length: 12 }, (_, batch) =>
      Array.from({ length: 200 }, (_one, k) => done(batch * 5 + k * 0.0002)),
    ).flat();
    const stage = new Told(running(0), ...batches);
    for (let at = 6; at < 58; at += 0.7) within5Percent(stage.at(at).per_second, 40, `after ${at} s`);
  });

  it('falls when nothing follows, and is 0 within seconds, with when the last one was', () => {
    const stage = new Told(running(0), ...items(40, 0, 20));
    within5Percent(stage.at(20.2).per_second, 40, 'at the end');
    expect(stage.at(21).per_second).toBeLessThan(25);
    expect(stage.at(23).per_second).toBeLessThan(10);
    expect(stage.at(26).per_second).toBe(0);
    expect(stage.at(50)).toMatchObject({ per_second: 0, last_done: '2026-11-28T20:00:19.987500Z' });
    expect(stage.at(50).peak_per_second).toBeCloseTo(40, 1);
  });

  it('of a slow one does not fall before the next is due', () => {
    const stage = new Told(running(0), ...items(0.2, 0, 60));
    within5Percent(stage.at(57.5 + 9).per_second, 0.2, 'four seconds late');
    expect(stage.at(57.5 + 15).per_second).toBeLessThan(0.15);
    expect(stage.at(57.5 + 21).per_second).toBe(0);
  });

  it('is right two seconds after it goes on from a stop, and after it begins to catch up', () => {
    const stopped = new Told(running(0), ...items(40, 0, 20), ...items(40, 60, 80));
    within5Percent(stopped.at(62).per_second, 40, 'after a stop');
    const catching = new Told(running(0), ...items(0.2, 0, 100), ...items(20, 101, 140));
    within5Percent(catching.at(103).per_second, 20, 'catching up');
    expect(catching.at(130).peak_per_second).toBeCloseTo(20, 1);
  });

  it('is that of now with the second gap when it has caught up', () => {
    const stage = new Told(running(0), ...items(20, 0, 30), ...items(0.2, 30, 120));
    within5Percent(stage.at(48).per_second, 0.2, 'caught up');
    within5Percent(stage.at(70).per_second, 0.2, 'later');
  });

  it('begins anew when the configuration asks for another, and keeps the peak', () => {
    const stage = new Told(running(0), asked(0, 2), ...items(2, 0, 30), asked(30, 40), ...items(40, 30, 60));
    within5Percent(stage.at(29).per_second, 2, 'before');
    expect(stage.at(30.001).per_second).toBeNull();
    within5Percent(stage.at(32).per_second, 40, 'after');
    const slower = new Told(running(0), asked(0, 40), ...items(40, 0, 30), asked(30, 2), ...items(2, 30, 60));
    slower.at(30);
    within5Percent(slower.at(32).per_second, 2, 'after');
    expect(slower.at(32).peak_per_second).toBeCloseTo(40, 1);
  });

  it('has a peak once it lasted long enough to be remembered: never less than now, nor less than it was, also after a pause', () => {
    const events = [running(0), asked(0, 10), ...items(10, 0, 20, 0.4), asked(20, 12), ...items(12, 20, 40, 0.4)];
    const stage = new Told(...events);
    let [known, before] = [0, 0];
    for (let at = 0.5; at < 60; at += 0.13) {
      const { per_second: now, peak_per_second: peak } = stage.at(at);
      if (peak === null) continue;
      expect(peak, `after ${at} s`).toBeGreaterThanOrEqual(Math.max(now ?? 0, before));
      [known, before] = [known + 1, peak];
    }
    expect(known).toBeGreaterThan(400);
    const short = new Told(running(0), ...items(40, 0, 1));
    expect([short.at(0.9).peak_per_second, short.at(30).peak_per_second]).toEqual([null, null]);
  });

  it('survives a clock that is set back', () => {
    const stage = new Told(running(0), ...items(2, 0, 30));
    stage.at(30);
    let state = emptyStatus;
    for (const event of [...items(2, 100, 130), ...items(2, 0, 10)]) state = reduceStatus(state, event);
    const { processor } = statusOf(state, own, { runId: 'run', startedAt: t0, at: t0 + 10_000 }).stages;
    within5Percent(processor!.per_second, 2, 'set back');
  });

  it('comes with the rows that are fitted a second', () => {
    within5Percent(new Told(running(0), ...items(2, 0, 30)).at(20).rows_per_second, 20, 'rows');
  });
});

describe('the utilisation of a stage', () => {
  /** An item each gap that takes so long. */
  const work = (gap: number, takes: number, to: number): StageEvent[] =>
    Array.from({ length: Math.floor(to / gap) }, (_, k) => [claimed(k * gap), done(k * gap + takes)]).flat();

  it('is the share of the time that it works, and says what it could do at most', () => {
    const stage = new Told(running(0), ...work(0.5, 0.1, 30)).at(20.3);
    expect(stage.busy).toBeCloseTo(0.2, 2);
    expect(stage.most_per_second).toBeCloseTo(10, 1);
  });

  it('counts all the places that it has', () => {
    const stage = new Told(running(0, 4), ...work(0.5, 0.4, 30)).at(20.3);
    expect(stage.busy).toBeCloseTo(0.2, 2);
    expect(stage.most_per_second).toBeCloseTo(10, 1);
  });

  it('counts the time for which a camera has exposed before the frame was there', () => {
    const frames = Array.from({ length: 30 }, (_, k): StageEvent[] => [
      { ...claimed(k), kind: 'claimed', count: 1, workedMs: 600 } as StageEvent,
      done(k + 0.1),
    ]).flat();
    expect(new Told(running(0), ...frames).at(20.5).busy).toBeCloseTo(0.7, 2);
  });

  it('is whole while an item is worked on that never ends, and 0 while there is none', () => {
    const hangs = new Told(running(0), ...work(0.5, 0.1, 10), claimed(10));
    expect(hangs.at(40).busy).toBeGreaterThan(0.95);
    expect(new Told(running(0), claimed(1)).at(30).busy).toBeGreaterThan(0.95);
    const rests = new Told(running(0), ...work(0.5, 0.1, 10));
    expect(rests.at(40)).toMatchObject({ busy: 0, per_second: 0 });
    expect(new Told(running(0)).at(30)).toMatchObject({ busy: 0, per_second: null });
  });
});
