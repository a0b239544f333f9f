import { from, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PipelineEvent } from '../../../src/model/event.ts';
import { countMissed } from '../../../src/sinks/log/countMissed.ts';

const missed = (at: number, reason = 'missed: there is no room on the disk', count = 1): PipelineEvent => ({
  kind: 'discarded',
  stage: 'collector',
  at,
  entryId: null,
  reason,
  count,
});
const running = (at: number): PipelineEvent => ({ kind: 'state', stage: 'collector', at, state: 'running' });

function lines(...events: PipelineEvent[]): string[] {
  let told: PipelineEvent[] = [];
  from(events)
    .pipe(countMissed(), toArray())
    .subscribe(all => {
      told = all;
    });
  return told.map(event => (event.kind === 'discarded' ? `${event.count ?? 1} ${event.reason}` : event.kind));
}

describe('frames that are missed one after the other', () => {
  const day = Array.from({ length: 17_280 }, (_, i) => missed(i * 5000));
  const told = lines(...day, running(86_400_000));
  const count = (line: string): number => (line === 'state' ? 0 : Number.parseInt(line, 10));

  it('are a line at first, then a line in ten minutes, and all of them are counted', () => {
    expect(told.length).toBeLessThan(150);
    expect(told[0]).toMatch(/^1 missed/);
    expect(told[1]).toMatch(/^120 missed/);
    expect(told.at(-1)).toBe('state');
    expect(told.reduce((sum, line) => sum + count(line), 0)).toBe(17_280);
  });

  it('for another reason, or after the stage has gone on, are told at once', () => {
    expect(lines(missed(0), missed(5), missed(10, 'other'), running(15), missed(20))).toEqual([
      ...['1 missed: there is no room on the disk', '1 missed: there is no room on the disk'],
      ...['1 other', 'state', '1 missed: there is no room on the disk'],
    ]);
  });

  it('are told though the clock is set back by a day', () => {
    const back = 86_400_000;
    expect(lines(missed(back, 'r'), missed(0, 'r'), missed(5, 'r'), missed(600_000, 'r'))).toEqual([
      '1 r',
      '1 r',
      '2 r',
    ]);
  });

  it('are told when the events end, with counts of their own added up', () => {
    expect(lines(missed(0, 'r', 2), missed(1, 'r', 3), missed(2, 'r', 4))).toEqual(['2 r', '7 r']);
  });
});
