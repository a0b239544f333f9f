import { describe, expect, it } from 'vitest';
import type { Wholeness } from '../../../src/image/isWholeImage.ts';
import { type ArrivalOptions, Arrivals } from '../../../src/streams/watchFolder/arrivals.ts';

const file = (size = 100, mtimeMs = 1000) => ({ size, mtimeMs, ino: 1 });

/** Looks at what is due, as often as it is due, up to a time; files are as they are given. */
function arriving(given: Partial<ArrivalOptions> = {}) {
  const arrivals = new Arrivals({ order: 'name', settleMs: 1000, patienceMs: 60_000, ...given });
  const files = new Map<string, ReturnType<typeof file>>();
  const wholeness = new Map<string, Wholeness>();
  const taken: [number, string][] = [];
  let now = 0;
  let looks = 0;
  const set = (path: string, found: ReturnType<typeof file> | null, is: Wholeness = 'whole'): void => {
    if (found) files.set(path, found);
    else files.delete(path);
    wholeness.set(path, is);
    arrivals.see(path, found, now);
  };
  const until = (ms: number, most = 1000): void => {
    for (; now <= ms; now += 100) {
      for (const { path } of arrivals.due(now)) {
        looks++;
        arrivals.see(path, files.get(path) ?? null, now);
        if (arrivals.isToJudge(path, now)) arrivals.judge(path, wholeness.get(path)!);
      }
      for (const { path } of arrivals.take(now, most)) taken.push([now, path]);
    }
    now = ms;
  };
  return { arrivals, set, until, taken, paths: () => taken.map(([, path]) => path), looks: () => looks };
}

describe('images that arrive', () => {
  it('have their turn when they rest, in the order of their names', () => {
    const { set, until, taken } = arriving();
    for (const name of ['img_10', 'img_9', 'img_1']) set(name, file());
    until(900);
    expect(taken).toEqual([]);
    until(2000);
    expect(taken).toEqual([
      [1000, 'img_1'],
      [1000, 'img_9'],
      [1000, 'img_10'],
    ]);
  });

  it('rest anew with each change, and wait for those before them', () => {
    const { set, until, taken } = arriving();
    set('a', file(1), 'cut');
    set('b', file());
    for (let size = 2; size <= 5; size++) {
      until(size * 700);
      set('a', file(size), size === 5 ? 'whole' : 'cut');
    }
    until(10_000);
    expect(taken.map(([, path]) => path)).toEqual(['a', 'b']);
    expect(taken[0]![0]).toBeGreaterThanOrEqual(4500);
  });

  it('that are cut off hold the others for their patience and no longer, and have their turn then', () => {
    const { set, until, taken } = arriving({ patienceMs: 5000 });
    set('a', file(0), 'cut');
    set('b', file());
    until(4900);
    expect(taken).toEqual([]);
    until(8000);
    expect(taken.map(([, path]) => path)).toEqual(['a', 'b']);
  });

  it('go by one that grows without an end, and that one has its turn when it ends', () => {
    const { set, until, taken } = arriving({ patienceMs: 5000 });
    set('a', file(1), 'cut');
    set('b', file());
    for (let size = 2; size < 30; size++) {
      until(size * 500);
      set('a', file(size), 'cut');
    }
    expect(taken.map(([, path]) => path)).toEqual(['b']);
    set('a', file(30), 'whole');
    until(20_000);
    expect(taken.map(([, path]) => path)).toEqual(['b', 'a']);
  });

  it('that may be unfinished rest ten times as long', () => {
    const { set, until, taken } = arriving();
    set('a', file(), 'doubtful');
    until(9900);
    expect(taken).toEqual([]);
    until(12_000);
    expect(taken).toHaveLength(1);
  });

  it('that are gone before their turn hold nobody', () => {
    const { set, until, paths } = arriving();
    set('a', file(1), 'cut');
    set('b', file());
    until(500);
    set('a', null);
    until(2000);
    expect(paths()).toEqual(['b']);
  });

  it('say that they are late when one that follows by name was taken before', () => {
    const { arrivals, set, until } = arriving();
    set('b', file());
    until(2000);
    arrivals.see('a', file(), 2000);
    arrivals.due(3000);
    arrivals.see('a', file(), 3000);
    arrivals.judge('a', 'whole');
    expect(arrivals.take(3000, 9)).toMatchObject([{ path: 'a', isLate: true }]);
  });

  it('go by time where that is asked for, also when the time changes while they wait', () => {
    const { set, until, paths } = arriving({ order: 'time' });
    set('a', file(1, 3000));
    set('b', file(1, 2000));
    set('c', file(1, 1000));
    until(500);
    set('c', file(1, 4000));
    until(3000);
    expect(paths()).toEqual(['b', 'a', 'c']);
  });

  it('are looked at a few at a time, however many wait', () => {
    const { set, until, taken, looks } = arriving();
    for (let i = 0; i < 5000; i++) set(`img_${i}`, file());
    until(1000, 10);
    expect([taken.length, looks()]).toEqual([10, 128]);
    until(200_000, 10);
    expect(taken.map(([, path]) => path)).toEqual(Array.from({ length: 5000 }, (_, i) => `img_${i}`));
    expect(looks()).toBeLessThan(5000 * 20);
  });
});
