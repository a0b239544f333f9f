import fc from 'fast-check';
import { EMPTY, NEVER, Observable, of, Subject, startWith, take, throwError } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { type ProcessOnDemandOptions, processOnDemand } from '../../src/rx/processOnDemand.ts';

function run(test: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(test);
}

type Cold = ReturnType<RunHelpers['cold']>;

/** A queue whose claims take no time. `asked` is what each claim asked for. */
function queueOf(...items: string[]) {
  const asked: number[] = [];
  const queue = [...items];
  return {
    queue,
    asked,
    claim: (count: number): Observable<string[]> => {
      asked.push(count);
      return of(queue.splice(0, count));
    },
  };
}

const one = { concurrency: 1, batch: 1, upstreamDone$: NEVER };
/** Wakes once, and may do so again. */
const once = NEVER.pipe(startWith(0));

describe('processOnDemand', () => {
  it('claims when it is woken, works, and asks again after each item until the queue is empty', () => {
    const { claim, asked } = queueOf('a', 'b');
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const wakes = hot('  -w-----------|');
      const works: Record<string, Cold> = { a: cold('--a|'), b: cold('-b|') };
      const worked = wakes.pipe(processOnDemand({ ...one, claim, process: item => works[item]! }));
      expectObservable(worked).toBe('---a-b-------|');
      expectSubscriptions(works.a!.subscriptions).toBe('-^--!');
      expectSubscriptions(works.b!.subscriptions).toBe('----^-!');
      expectSubscriptions(wakes.subscriptions).toBe('^------------!');
    });
    expect(asked).toEqual([1, 1, 1]);
  });

  describe('demand', () => {
    it('never has more in flight than there are places, and never claims without a free one', () => {
      const { claim, asked } = queueOf(...'abcdefg');
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const wakes = hot('  ww-ww-w-|');
        const works: Record<string, Cold> = {
          a: cold('          ----a|'),
          b: cold('          --b------|'),
          c: cold('          ---c-----|'),
          d: cold('               --d------|'),
        };
        const options = { concurrency: 3, batch: 10, upstreamDone$: NEVER };
        const worked = wakes.pipe(processOnDemand({ ...options, claim, process: item => works[item]! }));
        expectObservable(worked).toBe('--bca--d------|');
        for (const name of 'abc')
          expectSubscriptions(works[name]!.subscriptions).toBe(name === 'a' ? '^----!' : '^--------!');
        expectSubscriptions(works.d!.subscriptions).toBe('-----^--------!');
      });
      expect(asked).toEqual([3, 1]);
    });

    it('asks for no more than a batch, and fills its places batch by batch', () => {
      const { claim, asked } = queueOf('a', 'b', 'c', 'd', 'e');
      once
        .pipe(processOnDemand({ concurrency: 5, batch: 2, upstreamDone$: NEVER, claim, process: () => NEVER }))
        .subscribe()
        .unsubscribe();
      expect(asked).toEqual([2, 2, 1]);
    });

    it('waits until enough places are free for a claim to be worth its cost, or all are', () => {
      const { claim, asked } = queueOf(...'abcdef');
      const over: Record<string, Subject<string>> = {};
      const process = (item: string) => (over[item] = new Subject<string>());
      const working = once
        .pipe(processOnDemand({ concurrency: 3, batch: 3, minBatch: 2, upstreamDone$: NEVER, claim, process }))
        .subscribe();
      const begun = () => Object.keys(over).join('');
      over.a!.complete();
      expect([begun(), asked]).toEqual(['abc', [3]]);
      over.c!.complete();
      expect([begun(), asked]).toEqual(['abcde', [3, 2]]);
      working.unsubscribe();
      const alone = queueOf('a', 'b');
      once
        .pipe(
          processOnDemand({
            concurrency: 1,
            batch: 1,
            minBatch: 2,
            upstreamDone$: NEVER,
            claim: alone.claim,
            process: of,
          }),
        )
        .subscribe()
        .unsubscribe();
      expect(alone.asked).toEqual([1, 1, 1]);
    });

    it('claims one at a time, and remembers a wake-up during a claim', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const wakes = hot(' -w-w-------');
        const empty = cold('----(x|)', { x: [] });
        const worked = wakes.pipe(
          processOnDemand({ ...one, concurrency: 4, claim: () => empty, process: () => NEVER }),
        );
        expectObservable(worked, '^----------!').toBe('-----------');
        expectSubscriptions(empty.subscriptions).toBe(['-^---!', '-----^---!']);
      });
    });

    it('remembers a wake-up while no place is free', () => {
      const { queue, claim, asked } = queueOf('a');
      run(({ hot, cold, expectObservable }) => {
        const wakes = hot('  w-w---------');
        wakes.subscribe(() => asked.length > 0 && queue.push('b'));
        const works: Record<string, Cold> = { a: cold('---a|'), b: cold('--b|') };
        expectObservable(
          wakes.pipe(processOnDemand({ ...one, claim, process: item => works[item]! })),
          '^----------!',
        ).toBe('---a--b----');
      });
      expect(asked).toEqual([1, 1, 1]);
    });

    it('has a place for every item that it was given, also when the first ones end at once', () => {
      let inFlight = 0;
      let most = 0;
      const answers = new Subject<string[]>();
      const given: string[] = [];
      const process = (item: string): Observable<never> => {
        given.push(item);
        if (item.startsWith('quick')) return EMPTY;
        most = Math.max(most, ++inFlight);
        return NEVER;
      };
      const subscription = once
        .pipe(
          processOnDemand({
            concurrency: 2,
            batch: 2,
            upstreamDone$: NEVER,
            claim: () => answers.pipe(take(1)),
            process,
          }),
        )
        .subscribe();
      answers.next(['quick', 'slow']);
      answers.next(['slow']);
      subscription.unsubscribe();
      expect(given).toEqual(['quick', 'slow', 'slow']);
      expect(most).toBe(2);
    });
  });

  describe('the end', () => {
    it('finishes what is in flight after the source has completed, and claims no more', () => {
      const { claim, asked } = queueOf('a', 'b');
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const wakes = hot('  -w-|');
        const a = cold('      -----a|');
        expectObservable(wakes.pipe(processOnDemand({ ...one, claim, process: () => a }))).toBe('------a|');
        expectSubscriptions(a.subscriptions).toBe('-^-----!');
        expectSubscriptions(wakes.subscriptions).toBe('^--!');
      });
      expect(asked).toEqual([1]);
    });

    it('finishes what a claim brings that was on its way then', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const wakes = hot('  -w-|');
        const claim = cold('  ----(x|)', { x: ['a', 'b'] });
        const item = cold('       ---y---|');
        const options = { concurrency: 2, batch: 2, upstreamDone$: NEVER, claim: () => claim, process: () => item };
        expectObservable(wakes.pipe(processOnDemand(options))).toBe('--------(yy)|');
        expectSubscriptions(claim.subscriptions).toBe('-^---!');
      });
    });

    it('completes at once when the source does and nothing is in flight', () => {
      run(({ hot, expectObservable }) => {
        const { claim } = queueOf();
        expectObservable(hot('-w-|').pipe(processOnDemand({ ...one, claim, process: () => NEVER }))).toBe('---|');
      });
    });

    it('goes on until the queue is empty once upstream is done, then completes and lets go of the source', () => {
      const { claim, asked } = queueOf('a', 'b', 'c');
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const wakes = hot('  -w----------');
        const done = hot('   --d---------');
        const item = cold('   -x|');
        const options = { ...one, upstreamDone$: done, claim, process: () => item };
        expectObservable(wakes.pipe(processOnDemand(options))).toBe('--x-x-x|');
        expectSubscriptions(item.subscriptions).toBe(['-^-!', '---^-!', '-----^-!']);
        expectSubscriptions(wakes.subscriptions).toBe('^------!');
        expectSubscriptions(done.subscriptions).toBe('^------!');
      });
      expect(asked).toEqual([1, 1, 1, 1]);
    });

    it.each(['(d|)', '|', 'd'])('needs no wake-up to find the queue empty when upstream is done (%s)', marbles => {
      const { claim, asked } = queueOf();
      run(({ hot, cold, expectObservable }) => {
        const options = { ...one, upstreamDone$: cold(`---${marbles}`), claim, process: () => NEVER };
        expectObservable(hot('--------').pipe(processOnDemand(options))).toBe('---|');
      });
      expect(asked).toEqual([1]);
    });
  });

  describe('failure', () => {
    it('of a claim is one of the stream, and ends what is in flight', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const wakes = hot('  -w--w---');
        const claims = [cold('(x|)', { x: ['a'] }), cold<string[]>('---#')];
        const a = cold('      ----------');
        let claim = 0;
        const options = { ...one, concurrency: 2, claim: () => claims[claim++]!, process: () => a };
        expectObservable(wakes.pipe(processOnDemand(options))).toBe('----#');
        expectSubscriptions(a.subscriptions).toBe('-^--!');
        expectSubscriptions(wakes.subscriptions).toBe('^---!');
      });
    });

    it('of a work is one of the stream, and ends the others and a claim on its way', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const wakes = hot('  -w------');
        const claims = [cold('(x|)', { x: ['a', 'b'] }), cold<string[]>('----------')];
        const works: Record<string, Cold> = { a: cold('---#'), b: cold('----------') };
        let claim = 0;
        const options = { ...one, concurrency: 3, batch: 2, claim: () => claims[claim++]! };
        expectObservable(wakes.pipe(processOnDemand({ ...options, process: item => works[item]! }))).toBe('----#');
        expectSubscriptions(works.b!.subscriptions).toBe('-^--!');
        expectSubscriptions(claims[1]!.subscriptions).toBe('-^--!');
      });
    });

    it('of the source, or of upstream, is one of the stream', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const a = cold('----------');
        const { claim } = queueOf('a', 'a');
        expectObservable(hot('-w-#').pipe(processOnDemand({ ...one, claim, process: () => a }))).toBe('---#');
        const options = { ...one, upstreamDone$: hot('----#'), claim, process: () => a };
        expectObservable(hot('-w-----').pipe(processOnDemand(options))).toBe('----#');
        expectSubscriptions(a.subscriptions).toBe(['-^-!', '-^--!']);
      });
    });

    it.each(['claim', 'process'] as const)('that %s throws is one of the stream', which => {
      const options: ProcessOnDemandOptions<string, string> = {
        ...one,
        claim: () => of(['a']),
        process: () => of('x'),
      };
      options[which] = () => {
        throw new Error('no');
      };
      run(({ hot, expectObservable }) => {
        expectObservable(hot('-w-----').pipe(processOnDemand(options))).toBe('-#', undefined, new Error('no'));
      });
    });

    it('at once leaves nothing behind', () => {
      run(({ hot, expectObservable }) => {
        const failing = { ...one, claim: () => of(['a']), process: () => throwError(() => 'e') };
        expectObservable(hot('-w--').pipe(processOnDemand(failing))).toBe('-#', undefined, 'e');
      });
    });
  });

  describe('teardown', () => {
    it('unsubscribes from source, upstream, claim and works', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const wakes = hot('  -w---------');
        const done = hot('   -----------');
        const claims = [cold('(x|)', { x: ['a', 'b'] }), cold<string[]>('----------')];
        const item = cold('   -x---------');
        let claim = 0;
        const options = { concurrency: 3, batch: 2, upstreamDone$: done, claim: () => claims[claim++]! };
        const worked = wakes.pipe(processOnDemand({ ...options, process: () => item }));
        expectObservable(worked, '^-----!').toBe('--(xx)-');
        expectSubscriptions(item.subscriptions).toBe(['-^----!', '-^----!']);
        expectSubscriptions(claims[1]!.subscriptions).toBe('-^----!');
        expectSubscriptions(wakes.subscriptions).toBe('^-----!');
        expectSubscriptions(done.subscriptions).toBe('^-----!');
      });
    });

    it('in the middle of a batch begins none of the rest', () => {
      const begun: string[] = [];
      const process = (item: string): Observable<string> => {
        begun.push(item);
        return of(item);
      };
      of(0)
        .pipe(processOnDemand({ ...one, concurrency: 3, batch: 3, claim: () => of(['a', 'b', 'c']), process }), take(1))
        .subscribe();
      expect(begun).toEqual(['a']);
    });
  });

  describe('what ends at once', () => {
    it('does not nest: 20,000 items whose claim and work take no time', () => {
      let left = 20_000;
      let done = 0;
      let complete = false;
      once
        .pipe(
          processOnDemand({
            concurrency: 4,
            batch: 3,
            claim: count => of(Array.from({ length: Math.min(count, left) }, () => left--)),
            process: item => of(item),
            upstreamDone$: of(0),
          }),
        )
        .subscribe({ next: () => done++, complete: () => (complete = true) });
      expect(done).toBe(20_000);
      expect(complete).toBe(true);
    });

    it('does not nest when each result wakes it again', () => {
      const wakes = new Subject<void>();
      const queue = [0];
      let last = -1;
      const options = { ...one, claim: (count: number) => of(queue.splice(0, count)), process: (n: number) => of(n) };
      wakes.pipe(processOnDemand(options)).subscribe(n => {
        last = n;
        if (n < 10_000) queue.push(n + 1);
        wakes.next();
      });
      wakes.next();
      expect(last).toBe(10_000);
    });
  });

  it('keeps nothing of 100,000 items that it has finished', () => {
    const answers: Subject<number[]>[] = [];
    const works: Subject<never>[] = [];
    let observed = 0;
    const counted = <T>(subject: Subject<T>): Observable<T> =>
      new Observable(subscriber => {
        observed++;
        subscriber.add(() => observed--);
        return subject.subscribe(subscriber);
      });
    let given = 0;
    const subscription = once
      .pipe(
        processOnDemand<number, never>({
          concurrency: 2,
          batch: 2,
          upstreamDone$: NEVER,
          claim: () => counted((answers[0] = new Subject())),
          process: () => {
            const done = new Subject<never>();
            works.push(done);
            return counted(done);
          },
        }),
      )
      .subscribe();
    let most = 0;
    while (given < 100_000) {
      answers[0]!.next([given++, given++]);
      answers[0]!.complete();
      most = Math.max(most, observed, finalizers(subscription));
      for (const done of works.splice(0)) done.complete();
    }
    // Two works, or a claim; and the source and the like.
    expect(most).toBeLessThan(10);
    subscription.unsubscribe();
    expect(observed).toBe(0);
  });

  describe('against a model', () => {
    type Step = { do: 'add' | 'answer' | 'finish'; n: number } | { do: 'wake' };
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ do: fc.constant('add' as const), n: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ do: fc.constant('answer' as const), n: fc.integer({ min: 0, max: 5 }) }),
      fc.record({ do: fc.constant('finish' as const), n: fc.nat(9) }),
      fc.record({ do: fc.constant('wake' as const) }),
    );

    it('works on every item once, within its places, and rests only when the queue is empty', () => {
      fc.assert(
        fc.property(
          fc.record({
            concurrency: fc.integer({ min: 1, max: 4 }),
            batch: fc.integer({ min: 1, max: 4 }),
            /** Which claims and works end at once, in turn. */
            quickClaims: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
            quickWorks: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
            steps: fc.array(step, { maxLength: 40 }),
            end: fc.constantFrom('drain', 'stop', 'unsubscribe'),
          }),
          ({ concurrency, batch, quickClaims, quickWorks, steps, end }) => {
            const queue: number[] = [];
            const processed: number[] = [];
            const claimed: number[] = [];
            /** Works that have not ended. */
            const inFlight = new Set<Subject<never>>();
            let pending: { count: number; answer: Subject<number[]> } | null = null;
            let added = 0;
            let claims = 0;
            let ended = false;
            let complete = false;

            const takeItems = (count: number): number[] => {
              const items = queue.splice(0, count);
              claimed.push(...items);
              return items;
            };
            const wakes = new Subject<void>();
            const upstreamDone$ = new Subject<void>();
            const subscription = wakes
              .pipe(
                processOnDemand<number, never>({
                  concurrency,
                  batch,
                  upstreamDone$,
                  claim: count => {
                    expect(pending).toBe(null);
                    expect(ended).toBe(false);
                    expect(count).toBeGreaterThan(0);
                    expect(count).toBeLessThanOrEqual(Math.min(batch, concurrency - inFlight.size));
                    if (quickClaims[claims++ % quickClaims.length]) return of(takeItems(count));
                    const answer = new Subject<number[]>();
                    pending = { count, answer };
                    return new Observable<number[]>(subscriber => {
                      const inner = answer.subscribe(subscriber);
                      return () => {
                        if (pending?.answer === answer) pending = null;
                        inner.unsubscribe();
                      };
                    });
                  },
                  process: item => {
                    processed.push(item);
                    if (quickWorks[item % quickWorks.length]) return EMPTY;
                    const done = new Subject<never>();
                    inFlight.add(done);
                    expect(inFlight.size).toBeLessThanOrEqual(concurrency);
                    return new Observable<never>(subscriber => {
                      const inner = done.subscribe(subscriber);
                      return () => {
                        inFlight.delete(done);
                        inner.unsubscribe();
                      };
                    });
                  },
                }),
              )
              .subscribe({
                complete: () => {
                  complete = true;
                },
              });

            const answer = (most: number): void => {
              if (!pending) return;
              const { count, answer: to } = pending;
              pending = null;
              to.next(takeItems(Math.min(count, most)));
              to.complete();
            };
            const finish = (n: number): void => {
              const done = [...inFlight][n % inFlight.size];
              if (!done) return;
              inFlight.delete(done);
              done.complete();
            };
            for (const one of steps) {
              if (one.do === 'add') for (let i = 0; i < one.n; i++) queue.push(added++);
              if (one.do === 'add' || one.do === 'wake') wakes.next();
              if (one.do === 'answer') {
                // A queue gives what it has, unless it has nothing.
                answer(Math.max(1, one.n));
              }
              if (one.do === 'finish') finish(one.n);
              const rests = pending === null && inFlight.size < concurrency;
              if (rests) expect(queue).toEqual([]);
            }
            const before = claimed.length;
            if (end === 'unsubscribe') {
              subscription.unsubscribe();
              expect([inFlight.size, pending]).toEqual([0, null]);
              finish(0);
              expect(processed).toEqual(claimed);
              return;
            }
            if (end === 'stop') {
              ended = true;
              wakes.complete();
            } else upstreamDone$.next();
            for (let i = 0; !complete && i < 1000; i++) {
              answer(batch);
              finish(i);
            }
            expect(complete).toBe(true);
            expect(inFlight.size).toBe(0);
            expect(processed).toEqual(claimed);
            if (end === 'drain') expect(processed).toEqual(Array.from({ length: added }, (_, i) => i));
            else expect(claimed.length).toBeLessThanOrEqual(before + batch);
          },
        ),
        { numRuns: 500 },
      );
    });
  });
});

/** How many things end with it; RxJS tells nobody. */
function finalizers(subscription: unknown): number {
  return ((subscription as { _finalizers: unknown[] | null })._finalizers ?? []).length;
}
