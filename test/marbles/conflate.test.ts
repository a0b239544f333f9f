import { EMPTY, of, Subject, take, throwError } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { conflate } from '../../src/rx/conflate.ts';

function run(work: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(work);
}

describe('conflate', () => {
  it('runs for each wake-up that comes alone', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const wakes = hot('   -a------b-----|');
      const work = cold('    --x|');
      const runs = ['        -^--!', '        --------^--!'];
      const expected = '    ---x------x---|';
      expectObservable(wakes.pipe(conflate(() => work))).toBe(expected);
      expectSubscriptions(work.subscriptions).toBe(runs);
      expectSubscriptions(wakes.subscriptions).toBe('^-------------!');
    });
  });

  it('makes one of the wake-ups during a run, and gives it the latest; runs never overlap', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const wakes = hot('   -abcd---------|');
      const works = { a: cold('---a|'), d: cold('---d|') };
      const expected = '    ----a---d-----|';
      expectObservable(wakes.pipe(conflate(name => works[name as 'a' | 'd']))).toBe(expected);
      expectSubscriptions(works.a.subscriptions).toBe('-^---!');
      expectSubscriptions(works.d.subscriptions).toBe('-----^---!');
    });
  });

  it('finishes the run, and the one that waits, after the source has completed', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const wakes = hot('   -ab|');
      const work = cold('    ---x|');
      expectObservable(wakes.pipe(conflate(() => work))).toBe('----x---x|');
      expectSubscriptions(work.subscriptions).toBe(['-^---!', '-----^---!']);
      expectSubscriptions(wakes.subscriptions).toBe('^--!');
    });
  });

  it('completes at once with a source that never woke it', () => {
    run(({ hot, expectObservable }) => {
      expectObservable(hot('--|').pipe(conflate(() => of('x')))).toBe('--|');
    });
  });

  it('fails with a run, and lets go of the source', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const wakes = hot('   -ab------');
      const work = cold('    --#');
      expectObservable(wakes.pipe(conflate(() => work))).toBe('---#');
      expectSubscriptions(work.subscriptions).toBe('-^-!');
      expectSubscriptions(wakes.subscriptions).toBe('^--!');
    });
  });

  it('fails with the source, and lets go of the run', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const wakes = hot('   -a-#');
      const work = cold('    -----x|');
      expectObservable(wakes.pipe(conflate(() => work))).toBe('---#');
      expectSubscriptions(work.subscriptions).toBe('-^-!');
    });
  });

  it('takes what the projection throws for an error of the stream', () => {
    run(({ hot, expectObservable }) => {
      const failing = hot('-a').pipe(
        conflate((): never => {
          throw new Error('no');
        }),
      );
      expectObservable(failing).toBe('-#', undefined, new Error('no'));
    });
  });

  it('ends the run when it is unsubscribed from', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const wakes = hot('   -ab------');
      const work = cold('    -x-----|');
      expectObservable(wakes.pipe(conflate(() => work)), '^---!').toBe('--x--');
      expectSubscriptions(work.subscriptions).toBe('-^--!');
      expectSubscriptions(wakes.subscriptions).toBe('^---!');
    });
  });

  it('runs once more when a run wakes it while it is still beginning', () => {
    const wakes = new Subject<number>();
    let inside = 0;
    let most = 0;
    const seen: number[] = [];
    wakes
      .pipe(
        conflate(n => {
          inside++;
          most = Math.max(most, inside);
          if (n < 10_000) wakes.next(n + 1);
          inside--;
          return of(n);
        }),
      )
      .subscribe(n => seen.push(n));
    wakes.next(0);
    expect(most).toBe(1);
    expect(seen).toHaveLength(10_001);
    expect(seen.at(-1)).toBe(10_000);
  });

  it('does not nest when what comes out wakes it again', () => {
    const wakes = new Subject<number>();
    let last = -1;
    wakes.pipe(conflate(n => of(n))).subscribe(n => {
      expect(n).toBe(last + 1);
      last = n;
      if (n < 5_000) wakes.next(n + 1);
    });
    wakes.next(0);
    expect(last).toBe(5_000);
  });

  it('does not begin a run for somebody who has left in the middle of one that ends at once', () => {
    let runs = 0;
    const wakes = new Subject<void>();
    const left = wakes.pipe(
      conflate(() => {
        runs++;
        wakes.next();
        return of(1, 2);
      }),
      take(1),
    );
    left.subscribe();
    wakes.next();
    expect(runs).toBe(1);
    expect(wakes.observed).toBe(false);
  });

  it('takes runs that are empty or fail at once', () => {
    run(({ hot, expectObservable }) => {
      expectObservable(hot('-a-b|').pipe(conflate(() => EMPTY))).toBe('----|');
      expectObservable(hot('-a-b|').pipe(conflate(() => throwError(() => 'e')))).toBe('-#', undefined, 'e');
    });
  });
});
