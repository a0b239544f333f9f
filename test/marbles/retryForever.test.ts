import { concat, defer, NEVER, type Observable, of, take } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { type RetryForeverOptions, retryForever } from '../../src/rx/retryForever.ts';

function run(work: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(work);
}

/**
 * `o`: it has opened, `d`: something is done, `p`: something else happens, `w`: it is well again, `A` to `E`: alarms.
 * Without jitter; the first wait is 4 frames, the longest 20.
 */
const plain: RetryForeverOptions<string> = {
  firstMs: 4,
  longestMs: 20,
  random: () => 0.5,
  stop$: NEVER,
  onFailure: (_error, failures, retryInMs) => `alarm ${failures}, again in ${retryInMs}`,
  isOpen: value => value === 'o',
  isResolved: (value, reached) => value === 'd' || (reached === 'opening' && value === 'o'),
  onResolved: () => 'w',
};
const alarms = {
  A: 'alarm 1, again in 4',
  B: 'alarm 2, again in 8',
  C: 'alarm 3, again in 16',
  D: 'alarm 4, again in 20',
  E: 'alarm 5, again in 20',
  w: 'w',
  o: 'o',
  d: 'd',
  p: 'p',
};

/** The attempts one after the other, the last one again and again. */
function attempts(...each: Observable<string>[]): Observable<string> {
  let next = 0;
  return defer(() => each[Math.min(next++, each.length - 1)]!);
}

describe('retryForever', () => {
  it('is not seen while nothing fails', () => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-o-d-p|');
      expectObservable(source.pipe(retryForever(plain))).toBe('-o-d-p|');
      expectSubscriptions(source.subscriptions).toBe('^-----!');
    });
  });

  it('tries again after a growing wait, up to the longest', () => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--#');
      const unsub = '      ^------------------------------------------------------------------!';
      const expected = '   --A-----B---------C-----------------D---------------------E---------';
      expectObservable(source.pipe(retryForever(plain)), unsub).toBe(expected, alarms);
      expectSubscriptions(source.subscriptions).toBe([
        '^-!',
        '------^-!',
        '----------------^-!',
        '----------------------------------^-!',
        '--------------------------------------------------------^-!',
      ]);
    });
  });

  it.each([
    [0, 3],
    [0.5, 4],
    [1, 5],
  ])('spreads the wait by a quarter either way (random %d: %d ms)', (random, wait) => {
    run(({ cold, expectObservable }) => {
      const expected = `A${'-'.repeat(wait - 1)}A`;
      const source = attempts(cold('#'), cold('#'), NEVER);
      expectObservable(
        source.pipe(retryForever({ ...plain, random: () => random, longestMs: 4, onFailure: (_e, _n, ms) => `${ms}` })),
      ).toBe(expected, { A: `${wait}` });
    });
  });

  it('is well when it has opened, where opening was what failed', () => {
    run(({ cold, expectObservable }) => {
      const source = attempts(cold('--#'), cold('-o----d|'));
      expectObservable(source.pipe(retryForever(plain))).toBe('--A----(wo)-d|', alarms);
    });
  });

  it('is not well before something is done, where the work was what failed, and goes on backing off', () => {
    run(({ cold, expectObservable }) => {
      const failing = cold('o-#');
      const source = attempts(failing, failing, cold('o-d---|'));
      const expected = '  o-A---o-B-------o-(wd)|';
      expectObservable(source.pipe(retryForever(plain))).toBe(expected, alarms);
    });
  });

  it('begins its count anew once it is well', () => {
    run(({ cold, expectObservable }) => {
      const source = attempts(cold('#'), cold('#'), cold('o---d---#'), cold('#'), NEVER);
      const expected = '  A---B-------(wo)d---A---B';
      expectObservable(source.pipe(retryForever(plain))).toBe(expected, alarms);
    });
  });

  it('says that it is well before it completes by itself', () => {
    run(({ cold, expectObservable }) => {
      const source = attempts(cold('o-#'), cold('o-|'));
      expectObservable(source.pipe(retryForever(plain))).toBe('o-A---o-(w|)', alarms);
    });
  });

  describe('when it is stopped', () => {
    it('ends a wait at once', () => {
      run(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const source = cold('--#');
        const stop = hot('   ----s');
        expectObservable(source.pipe(retryForever({ ...plain, stop$: stop }))).toBe('--A-|', alarms);
        expectSubscriptions(source.subscriptions).toBe(['^-!']);
        expectSubscriptions(stop.subscriptions).toBe('^---!');
      });
    });

    it('ends a wait also when the stop merely completes', () => {
      run(({ cold, hot, expectObservable }) => {
        expectObservable(cold('--#').pipe(retryForever({ ...plain, stop$: hot('----|') }))).toBe('--A-|', alarms);
      });
    });

    it('lets the source finish, and does not call it well for that', () => {
      run(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const last = cold('o----|');
        const source = attempts(cold('o-#'), last);
        expectObservable(source.pipe(retryForever({ ...plain, stop$: hot('-------s') }))).toBe('o-A---o----|', alarms);
        expectSubscriptions(last.subscriptions).toBe('------^----!');
      });
    });

    it('does not try again what fails after the stop, and says that it failed', () => {
      run(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const source = cold('--o--#');
        expectObservable(source.pipe(retryForever({ ...plain, stop$: hot('---s') }))).toBe('--o--(A|)', alarms);
        expectSubscriptions(source.subscriptions).toBe(['^----!']);
      });
    });

    it('does not begin at all when that was before', () => {
      run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('o');
        expectObservable(source.pipe(retryForever({ ...plain, stop$: of(1) }))).toBe('|');
        expectSubscriptions(source.subscriptions).toBe([]);
      });
    });

    it('takes a stop out of the alarm itself', () => {
      run(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const source = cold('--#');
        const stop = hot('   --s');
        expectObservable(source.pipe(retryForever({ ...plain, stop$: stop }))).toBe('--(A|)', alarms);
        expectSubscriptions(source.subscriptions).toBe(['^-!']);
      });
    });
  });

  it('lets go of the source, or of the wait, when it is unsubscribed from', () => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--o----');
      expectObservable(source.pipe(retryForever(plain)), '^---!').toBe('--o--');
      expectSubscriptions(source.subscriptions).toBe('^---!');
    });
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--#');
      expectObservable(source.pipe(retryForever(plain)), '^---!').toBe('--A--', alarms);
      expectSubscriptions(source.subscriptions).toBe(['^-!']);
    });
  });

  it('goes no further with a source that tells something at once, to somebody who leaves for it', () => {
    let opened = 0;
    const opening = defer(() => {
      opened++;
      return NEVER;
    });
    concat(of('o'), opening).pipe(retryForever(plain), take(1)).subscribe();
    expect(opened).toBe(0);
  });

  it('does not wait for somebody who leaves at the alarm', () => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--#');
      expectObservable(source.pipe(retryForever(plain), take(1))).toBe('--(A|)', alarms);
      expectSubscriptions(source.subscriptions).toBe(['^-!']);
    });
  });

  it('passes an error of the stop on', () => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--o----');
      expectObservable(source.pipe(retryForever({ ...plain, stop$: cold('---#') }))).toBe('--o#');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });
});
