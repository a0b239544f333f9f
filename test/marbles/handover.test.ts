import { concat, defer, map, NEVER, Observable, of, Subject, take, takeUntil, throwError } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { handover } from '../../src/rx/handover.ts';

function run(work: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(work);
}

const deadlineMs = 10;

describe('handover', () => {
  it('serves the first settings, and asks for nothing more while they last', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const settings = hot(' -a---------|');
      const generation = cold('-x-x-|');
      expectObservable(settings.pipe(handover(() => generation, { stop$: NEVER, deadlineMs }))).toBe('--x-x------|');
      expectSubscriptions(generation.subscriptions).toBe('-^----!');
      expectSubscriptions(settings.subscriptions).toBe('^----------!');
    });
  });

  it('lets the old generation finish before the newest settings begin, and never serves what was overtaken', () => {
    const served: string[] = [];
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const settings = hot('   -a---bcd------|');
      const finishing = cold('      ----y|');
      const a = cold('          -x----');
      const d = cold('                   -z--|');
      const build = (name: string, drain$: Observable<void>): Observable<string> => {
        served.push(name);
        return name === 'a' ? concat(a.pipe(takeUntil(drain$)), finishing) : d;
      };
      expectObservable(settings.pipe(handover(build, { stop$: NEVER, deadlineMs }))).toBe('--x------y-z--|');
      expectSubscriptions(a.subscriptions).toBe('-^---!');
      expectSubscriptions(finishing.subscriptions).toBe('-----^----!');
      expectSubscriptions(d.subscriptions).toBe('----------^---!');
    });
    expect(served).toEqual(['a', 'd']);
  });

  it('cuts off a generation that does not finish, so long after the first settings that wait', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const settings = hot('      -a--b--c-------');
      const stubborn = cold('      -x-------------------');
      const next = cold('                       y-');
      const built = settings.pipe(
        handover((name: string) => (name === 'a' ? stubborn : next), { stop$: NEVER, deadlineMs }),
      );
      expectObservable(built, '^----------------!').toBe('--x-----------y--');
      expectSubscriptions(stubborn.subscriptions).toBe('-^------------!');
      expectSubscriptions(next.subscriptions).toBe('   --------------^--!');
    });
  });

  it('has no deadline left when a generation finishes in time', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const settings = hot(' -a--b----------------');
      const second = cold('    y--------------------');
      const build = (name: string, drain$: Observable<void>): Observable<string> =>
        name === 'a' ? NEVER.pipe(takeUntil(drain$)) : second;
      expectObservable(settings.pipe(handover(build, { stop$: NEVER, deadlineMs })), '^-------------------!').toBe(
        '----y----------------',
      );
      expectSubscriptions(second.subscriptions).toBe('----^---------------!');
    });
  });

  it('begins the next settings at once after a generation that ended by itself', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const settings = hot(' -a-----b---|');
      const work = cold('     -x|');
      expectObservable(settings.pipe(handover(() => work, { stop$: NEVER, deadlineMs }))).toBe('--x-----x--|');
      expectSubscriptions(work.subscriptions).toBe(['-^-!', '-------^-!']);
    });
  });

  it('completes with the last generation when there will be no other settings', () => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const settings = cold('(a|)');
      const work = cold('    --x--|');
      expectObservable(settings.pipe(handover(() => work, { stop$: NEVER, deadlineMs }))).toBe('--x--|');
      expectSubscriptions(settings.subscriptions).toBe('(^!)');
      expectSubscriptions(work.subscriptions).toBe('^----!');
    });
  });

  it('serves the settings that wait also when the source has completed meanwhile', () => {
    run(({ hot, cold, expectObservable }) => {
      const settings = hot('-a-b|');
      const finishing = cold('   ---y|');
      const build = (name: string, drain$: Observable<void>): Observable<string> =>
        name === 'a' ? concat(NEVER.pipe(takeUntil(drain$)), finishing) : of('b');
      expectObservable(settings.pipe(handover(build, { stop$: NEVER, deadlineMs }))).toBe('------y(b|)');
    });
  });

  describe('when it is stopped', () => {
    it('lets the generation finish, however long that takes, and begins no other', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const settings = hot('  -a------b-----------------');
        const stop = hot('      -----s--------------------');
        const finishing = cold('     ----y-------------------y|');
        const build = (_name: string, drain$: Observable<void>): Observable<string> =>
          concat(NEVER.pipe(takeUntil(drain$)), finishing);
        expectObservable(settings.pipe(handover(build, { stop$: stop, deadlineMs }))).toBe(
          '---------y-------------------y|',
        );
        expectSubscriptions(finishing.subscriptions).toBe('-----^------------------------!');
        expectSubscriptions(settings.subscriptions).toBe('^-----------------------------!');
      });
    });

    it('takes the deadline from a generation that was being replaced, and forgets what should follow', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const settings = hot('  -a--b---------------------');
        const stop = hot('      -------s------------------');
        const work = cold('      ----------------------y|');
        expectObservable(settings.pipe(handover(() => work, { stop$: stop, deadlineMs }))).toBe(
          '-----------------------y|',
        );
        expectSubscriptions(work.subscriptions).toBe('-^----------------------!');
      });
    });

    it('completes at once when nothing is served', () => {
      run(({ hot, expectObservable, expectSubscriptions }) => {
        const settings = hot('------a');
        const build = (): Observable<string> => of('never');
        expectObservable(settings.pipe(handover(build, { stop$: hot('---s'), deadlineMs }))).toBe('---|');
        expectSubscriptions(settings.subscriptions).toBe('^--!');
      });
    });

    it('does not even look at the settings when that was before', () => {
      run(({ cold, expectObservable, expectSubscriptions }) => {
        const settings = cold('a');
        expectObservable(settings.pipe(handover(() => of('never'), { stop$: of(1), deadlineMs }))).toBe('|');
        expectSubscriptions(settings.subscriptions).toBe([]);
      });
    });
  });

  describe('held', () => {
    const onPaused = (): string[] => ['R'];
    /** Works until it is retired, and takes `draining` to finish then. */
    const worker =
      (work: Observable<string>, draining: Observable<string>) =>
      (_name: string, drain$: Observable<void>): Observable<string> =>
        concat(work.pipe(takeUntil(drain$)), draining);
    const hold = { t: true, f: false };

    it('begins nothing before the first word on it, and says nothing', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const settings = hot('  -a-b------');
        const paused$ = hot('     -----f----', hold);
        const work = cold('          -x---');
        const built = settings.pipe(handover(() => work, { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built, '^--------!').toBe('------x---');
        expectSubscriptions(work.subscriptions).toBe('-----^---!');
        expectSubscriptions(paused$.subscriptions).toBe('^--------!');
      });
    });

    it('from the start rests as soon as there are settings, and begins with the newest when it is released', () => {
      const served: string[] = [];
      run(({ hot, expectObservable }) => {
        const settings = hot('  --a--b------');
        const paused$ = hot('     t------f----', hold);
        const build = (name: string): Observable<string> => {
          served.push(name);
          return concat(of(name), NEVER);
        };
        const built = settings.pipe(handover(build, { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built, '^----------!').toBe('--R----b----');
      });
      expect(served).toEqual(['b']);
    });

    it('retires the generation, lets it finish, says once that it rests, and begins the same settings anew', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const settings = hot('  -a------------------');
        const paused$ = hot('     f---t----t--f--f----', hold);
        const work = cold('      -x-----------------');
        const draining = cold('     --y|');
        const built = settings.pipe(handover(worker(work, draining), { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built, '^----------------!').toBe('--x---yR-----x----');
        expectSubscriptions(work.subscriptions).toBe(['-^--!', '------------^----!']);
        expectSubscriptions(draining.subscriptions).toBe('----^--!');
      });
    });

    it('takes new settings without serving them, and serves the newest when it is released', () => {
      const served: string[] = [];
      run(({ hot, expectObservable }) => {
        const settings = hot('  -a----bc-------');
        const paused$ = hot('     f--t-------f---', hold);
        const build = (name: string, drain$: Observable<void>): Observable<string> => {
          served.push(name);
          return concat(of(name), NEVER.pipe(takeUntil(drain$)));
        };
        const built = settings.pipe(handover(build, { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built, '^-------------!').toBe('-a-R-------c---');
      });
      expect(served).toEqual(['a', 'c']);
    });

    it('keeps newer settings that wait already when it is held', () => {
      const served: string[] = [];
      run(({ hot, cold, expectObservable }) => {
        const settings = hot('  -a-b---------');
        const paused$ = hot('     f---t---f----', hold);
        const build = (name: string, drain$: Observable<void>): Observable<string> => {
          served.push(name);
          return concat(of(name), NEVER.pipe(takeUntil(drain$)), cold('---|'));
        };
        const built = settings.pipe(handover(build, { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built, '^-----------!').toBe('-a----R-b----');
      });
      expect(served).toEqual(['a', 'b']);
    });

    it('says nothing, and goes on with the newest settings, when it is released while the old ones still finish', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const settings = hot('  -a--b-----------');
        const paused$ = hot('     f-t---f---------', hold);
        const work = cold('      -x-------------');
        const draining = cold('   ------y|');
        const built = settings.pipe(handover(worker(work, draining), { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built, '^-----------!').toBe('--------y-x-----');
        expectSubscriptions(work.subscriptions).toBe(['-^!', '---------^--!']);
      });
    });

    it('cuts off a generation that does not finish in time, and rests then', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const settings = hot('  -a--------------');
        const paused$ = hot('     f--t------------', hold);
        const stubborn = cold('  ---------------');
        const built = settings.pipe(handover(() => stubborn, { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built, '^--------------!').toBe('-------------R--');
        expectSubscriptions(stubborn.subscriptions).toBe('-^-----------!');
      });
    });

    it('counts the deadline of settings that were replaced from then, not from the hold after it', () => {
      run(({ hot, cold, expectObservable }) => {
        const settings = hot('  -a-b------------');
        const paused$ = hot('     f------t--------', hold);
        const built = settings.pipe(
          handover(() => cold('---------------'), { stop$: NEVER, deadlineMs, paused$, onPaused }),
        );
        expectObservable(built, '^--------------!').toBe('-------------R--');
      });
    });

    it('is stopped: completes at once at rest, and after what still finishes, with no deadline any more', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const atOnce = hot('-a--').pipe(
          handover(() => NEVER, { stop$: hot('---s'), deadlineMs, paused$: hot('t---', hold), onPaused }),
        );
        expectObservable(atOnce).toBe('-R-|');
        const settings = hot('  -a------------------');
        const paused$ = hot('     f-t-----------------', hold);
        const draining = cold('   -------------y|   ');
        const built = settings.pipe(
          handover(worker(NEVER, draining), { stop$: hot('----s'), deadlineMs, paused$, onPaused }),
        );
        expectObservable(built).toBe('---------------y|');
        expectSubscriptions(paused$.subscriptions).toBe('^---------------!');
      });
    });

    it('goes on waiting when there will be no other settings, and has done its work after the release', () => {
      run(({ hot, cold, expectObservable }) => {
        const settings = hot('  -a---|');
        const paused$ = hot('     f--t------f----', hold);
        const build = (_name: string, drain$: Observable<void>): Observable<string> =>
          cold('-----x|').pipe(takeUntil(drain$));
        const built = settings.pipe(handover(build, { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built).toBe('---R-----------x|');
      });
    });

    it('does not begin again a generation that had done all its work', () => {
      const served: string[] = [];
      run(({ hot, expectObservable }) => {
        const settings = hot('  -a-------b-----');
        const paused$ = hot('     f--t--f--------', hold);
        const build = (name: string): Observable<string> => {
          served.push(name);
          return of(name);
        };
        const built = settings.pipe(handover(build, { stop$: NEVER, deadlineMs, paused$, onPaused }));
        expectObservable(built, '^-------------!').toBe('-a-------b-----');
      });
      expect(served).toEqual(['a', 'b']);
    });

    it('is released by whoever hears that it rests', () => {
      const paused$ = new Subject<boolean>();
      const seen: string[] = [];
      const subscription = concat(of('a'), NEVER)
        .pipe(handover(name => concat(of(name), NEVER), { stop$: NEVER, deadlineMs, paused$, onPaused }))
        .subscribe(value => {
          seen.push(value);
          if (value === 'R') paused$.next(false);
        });
      paused$.next(true);
      expect(seen).toEqual(['R', 'a']);
      subscription.unsubscribe();
      expect(paused$.observed).toBe(false);
    });

    it('passes an error of what holds it', () => {
      run(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const work = cold('-x---');
        const built = hot('-a---').pipe(
          handover(() => work, { stop$: NEVER, deadlineMs, paused$: hot('f---#', hold), onPaused }),
        );
        expectObservable(built).toBe('--x-#');
        expectSubscriptions(work.subscriptions).toBe('-^--!');
      });
    });
  });

  it.each(['generation', 'settings', 'stop'])('passes an error of the %s, and lets go of everything', which => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const settings = which === 'settings' ? hot('-a--#') : hot('-a----');
      const stop = which === 'stop' ? hot('----#') : hot('------');
      const work = which === 'generation' ? cold('-x-#') : cold('-x----');
      expectObservable(settings.pipe(handover(() => work, { stop$: stop, deadlineMs }))).toBe('--x-#');
      expectSubscriptions(settings.subscriptions).toBe('^---!');
      expectSubscriptions(stop.subscriptions).toBe('^---!');
      expectSubscriptions(work.subscriptions).toBe('-^--!');
    });
  });

  it('takes what building throws for an error of the stream', () => {
    run(({ hot, expectObservable }) => {
      const build = (): never => {
        throw new Error('no');
      };
      expectObservable(hot('-a').pipe(handover(build, { stop$: NEVER, deadlineMs }))).toBe(
        '-#',
        undefined,
        Error('no'),
      );
    });
  });

  it('cuts the generation off, and leaves no deadline running, when it is unsubscribed from', () => {
    run(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const settings = hot('  -a--b---');
      const work = cold('      -x------');
      expectObservable(settings.pipe(handover(() => work, { stop$: NEVER, deadlineMs })), '^-----!').toBe('--x----');
      expectSubscriptions(settings.subscriptions).toBe('^-----!');
      expectSubscriptions(work.subscriptions).toBe('-^----!');
    });
  });

  it('serves thousands of settings that come at once and end at once', () => {
    const seen: number[] = [];
    const settings$ = new Observable<number>(subscriber => {
      for (let i = 0; i < 5_000; i++) subscriber.next(i);
      subscriber.complete();
    });
    let complete = false;
    settings$
      .pipe(handover(settings => of(settings), { stop$: NEVER, deadlineMs }))
      .subscribe({ next: value => seen.push(value), complete: () => (complete = true) });
    expect(seen).toHaveLength(5_000);
    expect(complete).toBe(true);
  });

  it('does not nest when a generation brings the next settings itself', () => {
    const settings$ = new Subject<number>();
    let open = 0;
    let most = 0;
    let last = -1;
    const build = (n: number, drain$: Observable<void>): Observable<number> =>
      new Observable(subscriber => {
        most = Math.max(most, ++open);
        subscriber.add(() => open--);
        subscriber.add(drain$.subscribe(() => subscriber.complete()));
        subscriber.next(n);
      });
    const subscription = settings$.pipe(handover(build, { stop$: NEVER, deadlineMs })).subscribe(n => {
      last = n;
      if (n < 10_000) settings$.next(n + 1);
    });
    settings$.next(0);
    expect(last).toBe(10_000);
    expect(most).toBe(1);
    expect(open).toBe(1);
    subscription.unsubscribe();
    expect(open).toBe(0);
  });

  it('goes no further with a generation whose first word makes its listener leave', () => {
    let opened = 0;
    const build = (name: string): Observable<string> =>
      concat(
        of(name),
        defer(() => {
          opened++;
          return NEVER;
        }),
      );
    of('a', 'b')
      .pipe(handover(build, { stop$: NEVER, deadlineMs }), take(1))
      .subscribe();
    expect(opened).toBe(0);
  });

  it('tells a generation that is subscribed to late of its draining', () => {
    run(({ hot, cold, expectObservable }) => {
      const settings = hot('-a-b');
      const opening = cold(' ------o|');
      const build = (name: string, drain$: Observable<void>): Observable<string> =>
        concat(
          opening,
          defer(() => NEVER.pipe(takeUntil(drain$))),
        ).pipe(map(value => `${name}${value}`));
      expectObservable(settings.pipe(handover(build, { stop$: NEVER, deadlineMs })), '^--------------!').toBe(
        '-------a------b',
        { a: 'ao', b: 'bo' },
      );
    });
  });

  it('takes generations that fail at once', () => {
    run(({ hot, expectObservable }) => {
      const build = (): Observable<never> => throwError(() => 'e');
      expectObservable(hot('-a').pipe(handover(build, { stop$: NEVER, deadlineMs }))).toBe('-#', undefined, 'e');
    });
  });
});
