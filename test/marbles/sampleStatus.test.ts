import { map } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { PipelineEvent } from '../../src/model/event.ts';
import { sampleStatus } from '../../src/sinks/status/sampleStatus.ts';

function run(work: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(work);
}

const done: PipelineEvent = { kind: 'done', stage: 'processor', at: 0, entryId: 'A', ms: 1, detail: {} };

describe('sampleStatus', () => {
  it('says what is at once, then at every turn, and the last word at the end', () => {
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const events$ = hot('  -d-dd------d|', { d: done });
      const expected = '      0----3----3-(4|)';
      const samples$ = sampleStatus(events$, 5).pipe(map(({ stages }) => String(stages.processor?.done ?? 0)));
      expectObservable(samples$).toBe(expected);
      expectSubscriptions(events$.subscriptions).toBe('^-----------!');
    });
  });

  it('goes on without events: that is a sign of life', () => {
    run(({ hot, expectObservable }) => {
      const samples$ = sampleStatus(hot<PipelineEvent>('---'), 4).pipe(map(() => 'x'));
      expectObservable(samples$, '^---------!').toBe('x---x---x--');
    });
  });

  it('passes an error on, and stops', () => {
    run(({ hot, expectObservable }) => {
      const samples$ = sampleStatus(hot<PipelineEvent>('--#'), 5).pipe(map(() => 'x'));
      expectObservable(samples$).toBe('x-#');
    });
  });

  it('lets go of the events when it is unsubscribed from', () => {
    run(({ hot, expectObservable, expectSubscriptions }) => {
      const events$ = hot<PipelineEvent>('------|');
      expectObservable(sampleStatus(events$, 2).pipe(map(() => 'x')), '^--!').toBe('x-x');
      expectSubscriptions(events$.subscriptions).toBe('^--!');
    });
  });
});
