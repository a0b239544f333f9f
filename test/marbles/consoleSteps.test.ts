import { asyncScheduler, map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { ConsoleInput } from '../../src/console/consoleInput.ts';
import { consoleSteps, frames } from '../../src/console/consoleSteps.ts';
import { noon, sampleState } from '../console/sampleConsole.ts';

const inputs: Record<string, ConsoleInput> = {
  t: { kind: 'time', now: noon + 1000 },
  u: { kind: 'time', now: noon + 2000 },
  v: { kind: 'time', now: noon + 3000 },
  k: { kind: 'key', key: '5', text: '5' },
  s: { kind: 'size', columns: 100, rows: 30 },
};

/** What is drawn, and when: the second that it is, with the page. */
function expectFrames(source: string, expected: string, values: Record<string, string>, subscriptions?: string): void {
  new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted)).run(
    ({ hot, expectObservable, expectSubscriptions }) => {
      const source$ = hot(source, inputs);
      const drawn$ = source$.pipe(
        consoleSteps(sampleState()),
        frames(asyncScheduler),
        map(({ state }) => `${(state.now - noon) / 1000} ${state.page}`),
      );
      expectObservable(drawn$).toBe(expected, values);
      if (subscriptions) expectSubscriptions(source$.subscriptions).toBe(subscriptions);
    },
  );
}

describe('frames', () => {
  it('draw the first news at once, and of what follows the last, half a second later', () => {
    expectFrames('tuv 800ms -', 't 499ms v', { t: '1 overview', v: '3 overview' });
  });

  it('draw what a person does at once, with the news so far', () => {
    expectFrames('tu 8ms k 800ms -', 't 9ms k 489ms u', { t: '1 overview', k: '2 log', u: '2 overview' });
  });

  it('draw a window of another size at once', () => {
    expectFrames('s', 's', { s: '0 overview' });
  });

  it('watch the inputs once, and end with them after the last news', () => {
    expectFrames('tu 100ms |', 't 499ms (u|)', { t: '1 overview', u: '2 overview' }, '^ 101ms !');
  });
});
