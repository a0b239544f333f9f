import { describe, expect, it } from 'vitest';
import { type Machine, systemFindings } from '../../src/cli/checkSystem.ts';

const good: Machine = {
  architecture: 'arm64',
  now: Date.UTC(2026, 5, 1),
  isClockSynced: true,
  user: 'pi',
  isRoot: false,
  groups: [1000, 44],
  groupFile: 'root:x:0:\nvideo:x:44:pi,anna\n',
  throttled: 0,
};
const wrongOf = (machine: Partial<Machine>, needsVideo = true): string[] =>
  systemFindings({ ...good, ...machine }, needsVideo)
    .filter(({ level }) => level !== 'ok')
    .map(({ level, about, message }) => `${level}: ${about}: ${message}`);

describe('a machine', () => {
  it('on which all is well is told so', () => {
    expect(wrongOf({})).toEqual([]);
    expect(systemFindings(good, true).map(({ about }) => about)).toEqual(['system', 'clock', 'group video', 'power']);
  });

  it.each([
    ['of 32 bits', { architecture: 'arm' }, /^error: system: it has 32 bits .*64-bit Raspberry Pi OS/],
    [
      'whose clock was never set',
      { now: 0 },
      /^error: clock: it says 1970-01-01T00:00:00 UTC, which is wrong: connect/,
    ],
    [
      'whose clock no server has set',
      { isClockSynced: false },
      /^warning: clock: .*no time server has set it since the start/,
    ],
    [
      'whose user may not use cameras',
      { groups: [1000], user: 'eva' },
      /^error: group video: eva is not in it.*usermod -aG video eva/,
    ],
    ['whose user was added to the group after the login', { groups: [1000] }, /^error: .*log out and in again$/],
    ['with too weak a power supply', { throttled: 0x1 }, /^error: power: the voltage of the power supply is too low/],
    ['whose power supply was too weak once', { throttled: 0x10000 }, /^warning: power: .*since the start/],
  ])('%s is told of', (_, machine, says) => {
    expect(wrongOf(machine)).toEqual([expect.stringMatching(says)]);
  });

  it.each([
    ['of root', { isRoot: true, groups: [0] }, true],
    ['without such a group', { groups: [], groupFile: 'root:x:0:\n' }, true],
    ['with a camera that needs no group', { groups: [] }, false],
    ['that does not tell of its clock and its power', { isClockSynced: null, throttled: null }, true],
  ])('%s is not blamed', (_, machine, needsVideo) => {
    expect(wrongOf(machine, needsVideo)).toEqual([]);
  });
});
