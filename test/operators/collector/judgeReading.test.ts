import { describe, expect, it } from 'vitest';
import { SensorError } from '../../../src/model/sensor.ts';
import { judgeReading, type LastValue } from '../../../src/operators/collector/judgeReading.ts';

const hour = 3_600_000;
const doubt = new SensorError('power_on', '85 °C');
const judge = (
  celsius: number,
  last: LastValue | null,
  more: { doubt?: SensorError; neighbours?: number[]; nowMs?: number },
) => {
  const { neighbours = [], nowMs = 10_000, ...reading } = more;
  return judgeReading({ celsius, ...reading }, { last, neighbours, longestUnchangedMs: hour, nowMs });
};
const lastOf = (celsius: number, atMs = 0, sameSinceMs = atMs): LastValue => ({ celsius, atMs, sameSinceMs });

describe('a doubtful temperature', () => {
  it.each<[string, LastValue | null, number[], boolean]>([
    ['is withheld when nothing is known', null, [], false],
    ['counts near the value before', lastOf(70), [], true],
    ['is withheld far from the value before', lastOf(69.9), [], false],
    ['is withheld far from its neighbours', null, [21, 60], false],
    ['counts near one of its neighbours', null, [21, 99], true],
    ['is withheld when the value before is of long ago', lastOf(85, -hour), [], false],
  ])('%s', (_what, last, neighbours, counts) => {
    const judged = () => judge(85, last, { doubt, neighbours });
    if (counts) expect(judged().celsius).toBe(85);
    else expect(judged).toThrow(doubt);
  });

  it('has a flag when the sensor itself says that it has not measured', () => {
    const reading = { celsius: 85, doubt, isUnmeasured: true as const };
    const options = { last: lastOf(84), neighbours: [], longestUnchangedMs: 0, nowMs: 1 };
    expect(judgeReading(reading, options).flags).toEqual(['power_on']);
  });
});

describe('a temperature that stays the same', () => {
  it('is flagged after its time, counted from when it first was so, and not before', () => {
    expect(judge(21, lastOf(21, hour - 2, 0), { nowMs: hour - 1 }).flags).toEqual([]);
    expect(judge(21, lastOf(21, hour - 1, 0), { nowMs: hour })).toMatchObject({ flags: ['unchanged'] });
    expect(judge(21.1, lastOf(21, hour - 1, 0), { nowMs: hour })).toMatchObject({
      flags: [],
      last: { sameSinceMs: hour },
    });
  });

  it('is not flagged when the sensor was away in between', () => {
    expect(judge(21, lastOf(21, 0), { nowMs: 2 * hour }).flags).toEqual([]);
  });
});
