import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { type ClockBehindOptions, clockBehind$ } from '../../src/operators/services/clockBehind.ts';

const morning = Date.parse('2026-11-28T10:00:00Z');
const image = (utc: string, original = false): ClockBehindOptions['entries'] => [
  { timestamp_utc: utc, camera_data: { filename: 'a.png', original } as never },
];

/** What is told, as marbles: `a` for the alarm, `w` for well. After 15 s the clock is set on by a day. */
function expectTold(options: Partial<ClockBehindOptions>, marbles: string, stop = '-'): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run(({ expectObservable, hot }) => {
    const now = (): number => morning + scheduler.now() + (scheduler.now() >= 15_000 ? 86_400_000 : 0);
    const told$ = clockBehind$({
      entries: [],
      moments: [],
      clock: { now },
      stage: 'collector',
      stop$: hot(stop),
      ...options,
    });
    expectObservable(told$).toBe(marbles, {
      a: expect.objectContaining({
        kind: 'alarm',
        at: morning,
        message: expect.stringMatching(/is of 2026-11-2.*it was set back/),
      }),
      w: expect.objectContaining({ kind: 'well', key: 'clock_behind' }),
    });
  });
}

describe('a clock that was set back before a start', () => {
  it('is told with the newest image, and is well when the clock is right again', () => {
    expectTold({ entries: image('2026-11-29T09:00:00.000000Z') }, 'a 19999ms (w|)');
  });

  it('is told by the beginning of the run or the journal where there is no image yet', () => {
    expectTold({ moments: [{ what: 'the journal', at: morning + 3_600_000 }] }, 'a 19999ms (w|)');
  });

  it('ends with the pipeline', () => {
    expectTold({ entries: image('2026-11-29T09:00:00.000000Z') }, 'a 4999ms |', '5s s');
  });

  it('is no matter for images of other clocks, nor for seconds', () => {
    for (const entries of [image('2036-01-01T00:00:00.000000Z', true), image('2026-11-28T10:00:40.000000Z'), []])
      expectTold({ entries }, '|');
  });
});
