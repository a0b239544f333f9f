/**
 * The zone that `TZ` names, as Node knows it. The C library takes names, paths (`:/usr/share/zoneinfo/Europe/Berlin`) and rules
 * (`CET-1CEST,M3.5.0,M10.5.0/3`); Node takes names only, and with anything else shows UTC, or summer time all year, without a word.
 *
 * Source: POSIX.1-2024, base definitions, section 8.3 (TZ); RFC 8536 (files of zones).
 */

import { readFileSync, realpathSync } from 'node:fs';

/** What is read of the system; for tests. */
export interface ZoneFiles {
  /** The file behind a path, through its links; null when there is none. */
  real(path: string): string | null;
  /** Null when it can't be read. */
  read(path: string): Buffer | null;
}

const systemFiles: ZoneFiles = {
  real: path => orNull(() => realpathSync(path)),
  read: path => orNull(() => readFileSync(path)),
};

function orNull<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

const zoneFolder = '/usr/share/zoneinfo/';

/**
 * Sets `TZ` of this process, and so of those that it starts, to a name that Node knows.
 *
 * @returns what is wrong when no zone of Node's is like the one that was asked for; else null
 */
export function settleTimeZone(environment: { TZ?: string | undefined }, now: number): string | null {
  const asked = environment.TZ;
  if (asked === undefined) return null;
  const zone = nodeTimeZone(asked, now);
  environment.TZ = zone ?? 'UTC';
  return zone === null
    ? `TZ=${JSON.stringify(asked)} is no time zone that is known here: local times are in UTC. Set TZ to a name such as Europe/Berlin, or leave it out.`
    : null;
}

/** The name of the zone that a value of `TZ` means; null when there is none. */
export function nodeTimeZone(asked: string, now: number, files: ZoneFiles = systemFiles): string | null {
  const text = asked.replace(/^:/, '');
  // As the C library has it.
  if (text === '') return 'UTC';
  if (isZone(text)) return text;
  const path = text.startsWith('/') ? text : `${zoneFolder}${text}`;
  const named =
    files
      .real(path)
      ?.split('/zoneinfo/')
      .at(-1)
      ?.replace(/^(?:posix|right)\//, '') ?? '';
  if (isZone(named)) return named;
  // Behind the last line break but one of such a file stands the rule for the times to come.
  const footer = files.read(path)?.toString('latin1').split('\n').at(-2);
  return zoneLike(footer ?? text, now);
}

function isZone(name: string): boolean {
  return /^[A-Z]/i.test(name) && orNull(() => new Intl.DateTimeFormat('en', { timeZone: name })) !== null;
}

/** A rule of POSIX: minutes east of UTC, and when summer time begins and ends. */
interface Rule {
  standard: number;
  summer: { minutes: number; begins: Turn; ends: Turn } | null;
}

/** A day of each year and the local time on it, seconds. */
interface Turn {
  day(year: number): number;
  seconds: number;
}

const name = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)';
const offset = String.raw`([+-]?\d{1,3}(?::\d\d){0,2})`;
const rulePattern = new RegExp(`^${name}${offset}(?:${name}${offset}?(?:,([^,]+),([^,]+))?)?$`);
/** Where summer time has no dates: those of the United States, as in the C library. */
const usual = ['M3.2.0', 'M11.1.0'] as const;

function parseRule(text: string): Rule | null {
  const match = rulePattern.exec(text);
  if (!match) return null;
  const [, west, summerWest, first = usual[0], last = usual[1]] = match as (string | undefined)[];
  const standard = -secondsOf(west as string) / 60;
  if (!text.replace(new RegExp(`^${name}`), '').match(/[A-Za-z<]/)) return { standard, summer: null };
  const [begins, ends] = [parseTurn(first), parseTurn(last)];
  if (!begins || !ends) return null;
  const minutes = summerWest === undefined ? standard + 60 : -secondsOf(summerWest) / 60;
  return { standard, summer: { minutes, begins, ends } };
}

function secondsOf(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, '').split(':').map(Number);
  return (text.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
}

/** `M10.5.0/3`: the last Sunday of October at three; `J60`, day 60 without 29 February; `59`, day 59 from 0. */
function parseTurn(text: string): Turn | null {
  const match = /^(?:M(\d\d?)\.([1-5])\.([0-6])|(J?)(\d{1,3}))(?:\/([+-]?\d{1,3}(?::\d\d){0,2}))?$/.exec(text);
  if (!match) return null;
  const [, month, week, weekday, julian, number, time = '2'] = match;
  const seconds = secondsOf(time);
  if (month === undefined)
    return {
      seconds,
      day: year =>
        Date.UTC(julian ? 2023 : year, 0, Number(number) + (julian ? 0 : 1)) +
        (julian ? sameDay(year, Number(number)) : 0),
    };
  return {
    seconds,
    day: year => {
      const first = new Date(Date.UTC(year, Number(month) - 1, 1)).getUTCDay();
      const days = new Date(Date.UTC(year, Number(month), 0)).getUTCDate();
      let day = 1 + ((Number(weekday) - first + 7) % 7) + 7 * (Number(week) - 1);
      while (day > days) day -= 7;
      return Date.UTC(year, Number(month) - 1, day);
    },
  };
}

/** From a day of 2023, which has no 29 February, to the same of another year, milliseconds. */
function sameDay(year: number, number: number): number {
  const day = new Date(Date.UTC(2023, 0, number));
  return Date.UTC(year, day.getUTCMonth(), day.getUTCDate()) - day.getTime();
}

function minutesAt({ standard, summer }: Rule, instant: number): number {
  if (!summer) return standard;
  const year = new Date(instant + standard * 60_000).getUTCFullYear();
  const begins = summer.begins.day(year) + summer.begins.seconds * 1000 - standard * 60_000;
  const ends = summer.ends.day(year) + summer.ends.seconds * 1000 - summer.minutes * 60_000;
  const isSummer = begins < ends ? instant >= begins && instant < ends : instant >= begins || instant < ends;
  return isSummer ? summer.minutes : standard;
}

/** The zone that does what a rule says: last year, this year and the next, to the minute around each change. */
function zoneLike(text: string, now: number): string | null {
  const rule = parseRule(text);
  if (!rule) return null;
  const year = new Date(now).getUTCFullYear();
  const instants = Array.from({ length: 36 }, (_, month) => Date.UTC(year - 1, month, 15));
  for (const each of rule.summer ? [year - 1, year, year + 1] : []) {
    for (const { day: dayOf } of [rule.summer!.begins, rule.summer!.ends])
      for (let hour = -24; hour <= 48; hour++)
        instants.push(dayOf(each) + hour * 3_600_000 - 1, dayOf(each) + hour * 3_600_000);
  }
  const hours = rule.standard / 60;
  const fixed = `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
  if (!rule.summer && isZone(fixed)) return hours === 0 ? 'UTC' : fixed;
  return (
    candidates().find(zone => {
      const minutesOf = zoneMinutes(zone);
      return instants.every(instant => minutesOf(instant) === minutesAt(rule, instant));
    }) ?? null
  );
}

/** Where more people run experiments first; the other zones do the same today, and differ in the past. */
function candidates(): string[] {
  const continents = ['Europe', 'America', 'Australia', 'Asia', 'Pacific'];
  const place = (zone: string): number =>
    (continents.indexOf(zone.split('/')[0] as string) + continents.length + 1) % (continents.length + 1);
  return Intl.supportedValuesOf('timeZone').sort((a, b) => place(a) - place(b));
}

/** Minutes east of UTC in a zone. */
function zoneMinutes(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return instant => {
    const text = format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const match = /([+-])(\d\d):(\d\d)/.exec(text);
    return match ? (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) : 0;
  };
}
