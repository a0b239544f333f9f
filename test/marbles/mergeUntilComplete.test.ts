import { concat, EMPTY, NEVER, of } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { mergeUntilComplete } from '../../src/rx/mergeUntilComplete.ts';

function run(work: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(work);
}

describe('mergeUntilComplete', () => {
  it('adds what the other tells for as long as the source lasts, and then lets go of it', () => {
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('  -a---b---|');
      const other = hot('   --x-x---x-x-');
      expectObservable(source.pipe(mergeUntilComplete(other))).toBe('-ax-xb--x|');
      expectSubscriptions(source.subscriptions).toBe('^--------!');
      expectSubscriptions(other.subscriptions).toBe('^--------!');
    });
  });

  it('goes on when the other completes', () => {
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('  -a---b---|');
      const other = hot('   --x|');
      expectObservable(source.pipe(mergeUntilComplete(other))).toBe('-ax--b---|');
      expectSubscriptions(source.subscriptions).toBe('^--------!');
    });
  });

  it('passes an error of the source, and lets go of the other', () => {
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const other = hot('   --x---');
      expectObservable(hot('-a-#').pipe(mergeUntilComplete(other))).toBe('-ax#');
      expectSubscriptions(other.subscriptions).toBe('^--!');
    });
  });

  it('passes an error of the other, and lets go of the source', () => {
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('  -a-----');
      expectObservable(source.pipe(mergeUntilComplete(hot('--x#')))).toBe('-ax#');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('lets go of both when it is unsubscribed from', () => {
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('  -a-----');
      const other = hot('   --x----');
      expectObservable(source.pipe(mergeUntilComplete(other)), '^---!').toBe('-ax--');
      expectSubscriptions(source.subscriptions).toBe('^---!');
      expectSubscriptions(other.subscriptions).toBe('^---!');
    });
  });

  it('subscribes once, to the other first, and takes a source that ends at once', () => {
    run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('(ab|)');
      expectObservable(source.pipe(mergeUntilComplete(concat(of('x'), NEVER)))).toBe('(xab|)');
      expectSubscriptions(source.subscriptions).toBe('(^!)');
      expectObservable(EMPTY.pipe(mergeUntilComplete(NEVER))).toBe('|');
    });
  });
});
