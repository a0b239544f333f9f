import { expect, test } from 'vitest';
import type { StageEvent } from '../../../src/model/event.ts';
import { ChipMoveWatch } from '../../../src/operators/processor/chipMoveWatch.ts';

const clock = { now: () => 1e12, monotonic: () => 0 };

function told(shifts: readonly (number | null)[], limit = 2): string[] {
  const watch = new ChipMoveWatch(clock);
  const events: string[] = [];
  watch.alarms$.subscribe((event: StageEvent) => {
    events.push(event.kind === 'alarm' ? event.message.slice(0, 29) : event.kind);
  });
  for (const dx of shifts) watch.see(dx === null ? null : { dx, dy: 0, angle: 0 }, { limit, follows: false });
  return events;
}

test('a chip that has moved beyond the limit in two frames is one alarm, and one more when it has moved twice as far', () => {
  expect(told([0.1, 2.5, 2.6, 2.7, 4, 5.3, 5.4])).toEqual(
    ['the chip has moved by 2.6 px s', 'the chip has moved by 5.3 px s'].map(text => text.slice(0, 29)),
  );
});

test('the alarm is over when the chip is back, and does not come and go at the limit', () => {
  expect(told([2.1, 2.1, 1.9, 2.1, 1.9, 1.5])).toEqual(['the chip has moved by 2.1 px ', 'well']);
});

test('an odd frame, and frames that say nothing, are no alarm', () => {
  expect(told([9, 0.1, 9, null, 0.1, null, null])).toEqual([]);
  expect(told([9, 9, 9], 0)).toEqual([]);
});
