import { describe, expect, it } from 'vitest';
import { nodeTimeZone, settleTimeZone, type ZoneFiles } from '../../src/cli/timeZone.ts';

const now = Date.UTC(2026, 5, 1);
const links: Record<string, string> = {
  '/usr/share/zoneinfo/Europe/Berlin': '/usr/share/zoneinfo/Europe/Berlin',
  '/usr/share/zoneinfo/right/Asia/Tokyo': '/usr/share/zoneinfo/right/Asia/Tokyo',
  '/etc/localtime': '/usr/share/zoneinfo/America/New_York',
};
const files: ZoneFiles = {
  real: path => links[path] ?? null,
  read: path => (path === '/etc/own-zone' ? Buffer.from('TZif2\0\0\n<+0545>-5:45\n') : null),
};

describe('TZ as people and systems set it', () => {
  it.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    [':Europe/Berlin', 'Europe/Berlin'],
    [':/usr/share/zoneinfo/Europe/Berlin', 'Europe/Berlin'],
    ['/usr/share/zoneinfo/Europe/Berlin', 'Europe/Berlin'],
    ['right/Asia/Tokyo', 'Asia/Tokyo'],
    [':/etc/localtime', 'America/New_York'],
    ['', 'UTC'],
    [':', 'UTC'],
    ['UTC', 'UTC'],
    ['UTC0', 'UTC'],
    ['CET-1', 'Etc/GMT-1'],
    ['<-03>3', 'Etc/GMT+3'],
    [':/etc/own-zone', 'Asia/Katmandu'],
    ['Nonsense/Zone', null],
    ['/etc/nowhere', null],
    ['CET-1CEST,M3.5.0', null],
  ])('%j is %s', (asked, zone) => {
    expect(nodeTimeZone(asked, now, files)).toBe(zone);
  });

  it.each([
    ['CET-1CEST,M3.5.0,M10.5.0/3', [60, 120], '2026-10-25T01:00:00Z'],
    ['GMT0BST,M3.5.0/1,M10.5.0', [0, 60], '2026-10-25T01:00:00Z'],
    ['EST5EDT,M3.2.0,M11.1.0', [-300, -240], '2026-11-01T06:00:00Z'],
    ['AEST-10AEDT,M10.1.0,M4.1.0/3', [600, 660], '2026-04-04T16:00:00Z'],
    ['<+1030>-10:30<+11>-11,M10.1.0,M4.1.0', [630, 660], '2026-04-04T15:00:00Z'],
  ])('the rule %s is a zone with its offsets, which changes when it says', (rule, [standard, summer], end) => {
    const zone = nodeTimeZone(rule, now, files);
    expect(zone).not.toBeNull();
    const minutes = (at: number): number => {
      const shown = new Intl.DateTimeFormat('en-US', {
        timeZone: zone as string,
        timeZoneName: 'longOffset',
      }).formatToParts(at);
      const [, sign, hours, rest] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(shown.at(-1)?.value ?? '') ?? [];
      return hours === undefined ? 0 : Number(`${sign}1`) * (60 * Number(hours) + Number(rest));
    };
    expect([minutes(Date.parse(end)), minutes(Date.parse(end) - 1000)]).toEqual([standard, summer]);
  });

  it('one that is not known is told, and is UTC as Node would have it', () => {
    const environment: { TZ?: string } = { TZ: 'Nonsense/Zone' };
    expect(settleTimeZone(environment, now)).toMatch(
      /TZ="Nonsense\/Zone" is no time zone that is known here: local times are in UTC/,
    );
    expect(environment.TZ).toBe('UTC');
    expect(settleTimeZone({}, now)).toBeNull();
  });
});
