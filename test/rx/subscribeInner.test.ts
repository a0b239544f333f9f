import { concat, NEVER, Observable, of, Subject, Subscription, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { subscribeInner } from '../../src/rx/subscribeInner.ts';

/** A stream that does nothing but listen to `inner$` within itself, and what its listener sees. */
function listen(begin: () => Observable<number>, owner?: Subscription) {
  const seen: unknown[] = [];
  const stream$ = new Observable<number>(subscriber => {
    const end = (): unknown => seen.push('inner completed');
    subscribeInner(subscriber, begin, { next: value => subscriber.next(value), complete: end }, owner);
  });
  const subscription = stream$.subscribe({ next: value => seen.push(value), error: error => seen.push(error) });
  return { seen, subscription };
}

describe('a stream inside of an operator', () => {
  it('passes its values and its end', () => {
    expect(listen(() => of(1, 2)).seen).toEqual([1, 2, 'inner completed']);
  });

  it('fails the operator with its error, and with what is thrown where it should begin', () => {
    const error = new Error('no');
    expect(listen(() => throwError(() => error)).seen).toEqual([error]);
    const thrown = listen(() => {
      throw error;
    });
    expect(thrown.seen).toEqual([error]);
  });

  it('ends with the operator, and is forgotten by it when it ends before', () => {
    const inner$ = new Subject<number>();
    const { subscription } = listen(() => inner$);
    expect(inner$.observed).toBe(true);
    subscription.unsubscribe();
    expect(inner$.observed).toBe(false);

    const owner = new Subscription();
    const removed: unknown[] = [];
    const remove = owner.remove.bind(owner);
    owner.remove = teardown => {
      removed.push(teardown);
      remove(teardown);
    };
    listen(() => of(1), owner);
    expect(removed).toHaveLength(1);
  });

  it('ends with an owner that lives shorter than the operator, without a word', () => {
    const inner$ = new Subject<number>();
    const owner = new Subscription();
    const { seen, subscription } = listen(() => inner$, owner);
    inner$.next(1);
    owner.unsubscribe();
    inner$.next(2);
    expect([inner$.observed, subscription.closed, seen]).toEqual([false, false, [1]]);
  });

  it('ends in the middle of what it emits at once, when that ends its owner', () => {
    const owner = new Subscription();
    let isFree = false;
    const inner$ = new Observable<number>(subscriber => {
      subscriber.add(() => {
        isFree = true;
      });
      subscriber.next(1);
      owner.unsubscribe();
      subscriber.next(2);
    });
    expect(listen(() => concat(inner$, NEVER), owner).seen).toEqual([1]);
    expect(isFree).toBe(true);
  });

  it('does not begin where the owner has ended', () => {
    const owner = new Subscription();
    owner.unsubscribe();
    let begun = 0;
    const { seen } = listen(() => {
      begun++;
      return of(1);
    }, owner);
    expect([begun, seen]).toEqual([0, []]);
  });
});
