import { calendarMs, fractionMs, type WallTime, wallTimeOf, zoneMinutesOf } from './wallTime.ts';

/** A time in a file name, and the rest of the name around it. */
export interface NameTime {
  time: WallTime;
  rest: string;
}

/** One way in which names carry times. */
interface NameFormat {
  pattern: RegExp;
  read(groups: Record<string, string | undefined>): WallTime | null;
}

const gap = `(?:[-_T ,]{0,3}|[-_ ,]{0,2}(?:at|um)[ _])`;
/** Hour, minute and second with one separator or none; then a fraction, AM or PM, and a zone. */
const clock = String.raw`(?<hour>\d\d)(?<colon>[-_.:]?)(?<minute>\d\d)\k<colon>(?<second>\d\d)`;
/** As people's programs write it: `1.05.00 PM`, `午後1.05.00`, `13.05`. */
const looseClock = String.raw`(?<before>午前|午後|上午|下午|오전|오후)?\s?(?<hour>\d\d?)(?<colon>[-_.:])(?<minute>\d\d)(?:\k<colon>(?<second>\d\d))?`;
const tail = String.raw`(?:[._,-]?(?<fraction>(?<=[._,-])(?:\d{9}|\d{6}|\d{3})|(?<=[.,])\d\d?|(?<=(?<!\d)\d{6})\d{3}|(?<=(?<!\d)\d{14})\d{3}))?(?!\d)(?:[\s_.-]{0,2}(?<half>[ap])\.?\s?m(?![a-z])\.?)?(?:[ _]?(?<zone>Z(?![a-z])|\+\d\d:?\d\d|-\d\d:\d\d|(?:UTC|GMT|WES?T|BST|CES?T|EES?T|E[SD]T|C[SD]T|M[SD]T|P[SD]T|JST|AE[SD]T)(?![a-z])))?`;
const year = String.raw`(?<year>(?:19|20)\d\d)`;
const month = '(?<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*';
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Minutes east of UTC of abbreviations that people's cameras write; those of North America where they are ambiguous. */
// biome-ignore format: a table
const zones: Readonly<Record<string, number>> = {
  UTC: 0, GMT: 0, WET: 0, WEST: 60, BST: 60, CET: 60, CEST: 120, EET: 120, EEST: 180, EST: -300, EDT: -240, CST: -360,
  CDT: -300, MST: -420, MDT: -360, PST: -480, PDT: -420, JST: 540, AEST: 600, AEDT: 660,
};

type Groups = Record<string, string | undefined>;
const expression = (source: string): RegExp => new RegExp(`(?<!\\d)${source}`, 'gi');

function timeOfDay(y: number, m: number, d: number, groups: Groups): WallTime | null {
  const { hour, minute, second, fraction, half, before, zone } = groups;
  const afternoon = half ? /p/i.test(half) : before ? /[後下후]/.test(before) : null;
  // 12 AM is midnight and 12 PM noon; from 13 on the clock has 24 hours, whatever is written behind it.
  const hours = afternoon !== null && Number(hour) <= 12 ? (Number(hour) % 12) + (afternoon ? 12 : 0) : Number(hour);
  const base = calendarMs(y, m, d, hours, Number(minute), Number(second ?? 0));
  if (base === null) return null;
  const zoneMinutes = zone === undefined ? null : (zones[zone.toUpperCase()] ?? zoneMinutesOf(zone.toUpperCase()));
  return { wallMs: base + fractionMs(fraction), zoneMinutes };
}

const yearFirst = (groups: Groups): WallTime | null =>
  timeOfDay(Number(groups.year), Number(groups.month), Number(groups.day), groups);

/** Two digits are of this century up to 2069, as POSIX has it. */
const fullYear = (digits: string | undefined): number =>
  Number(digits) + (digits?.length !== 2 ? 0 : Number(digits) < 70 ? 2000 : 1900);

/** The order of the three numbers of a date. */
const numbersAs =
  (order: readonly ['a' | 'b' | 'c', 'a' | 'b' | 'c', 'a' | 'b' | 'c']) =>
  (groups: Groups): WallTime | null => {
    const [y, m, d] = order.map(name => groups[name]);
    return timeOfDay(fullYear(y), Number(m), Number(d), groups);
  };

/** ISO week dates: the week that holds 4 January is the first. */
function weekDate(groups: Groups): WallTime | null {
  const week = Number(groups.week);
  if (week < 1 || week > 53) return null;
  const fourth = new Date(Date.UTC(Number(groups.year), 0, 4));
  const monday = fourth.getTime() - ((fourth.getUTCDay() + 6) % 7) * 86_400_000;
  const date = new Date(monday + ((week - 1) * 7 + Number(groups.weekday) - 1) * 86_400_000);
  return timeOfDay(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), groups);
}

const monthByName = (groups: Groups): WallTime | null =>
  timeOfDay(Number(groups.year), months.indexOf(groups.name?.toLowerCase() ?? '') + 1, Number(groups.day), groups);

/** `1753364713`, `1753364713.569`, and with milli-, micro- or nanoseconds: since 1970 UTC, shown as this machine's clock shows it. */
const sinceEpoch = ({ seconds, more }: Groups): WallTime => wallTimeOf(Number(seconds) * 1000 + fractionMs(more));

const date = `${year}(?<dash>[-_.]?)(?<month>\\d\\d)\\k<dash>(?<day>\\d\\d)`;
const threeNumbers = String.raw`(?<a>\d\d?)(?<dash>[-_. ])(?<b>\d\d?)\k<dash>(?<c>(?:(?:19|20)\d\d|\d\d)(?!\d))`;
const sixDigits = String.raw`(?<a>\d\d)(?<b>\d\d)(?<c>\d\d)[-_T ](?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)${tail}`;
const weekOfYear = String.raw`${year}-?W(?<week>\d\d)-?(?<weekday>[1-7])`;

/** Formats that say what they mean, the commonest first. */
const plain: readonly NameFormat[] = [
  { pattern: expression(`${date}${gap}${clock}${tail}`), read: yearFirst },
  {
    pattern: expression(`${year}(?<dash>[-_. ])(?<month>\\d\\d?)\\k<dash>(?<day>\\d\\d?)${gap}${looseClock}${tail}`),
    read: yearFirst,
  },
  {
    pattern: expression(`${year}(?<month>\\d\\d)(?<day>\\d\\d)(?<hour>\\d\\d)(?<minute>\\d\\d)(?!\\d)`),
    read: yearFirst,
  },
  { pattern: expression(`${weekOfYear}${gap}${clock}${tail}`), read: weekDate },
  {
    pattern: expression(`(?<day>\\d\\d?)[-_. ]?${month}[-_. ]?${year}${gap}(?:${looseClock}${tail})`),
    read: monthByName,
  },
  { pattern: expression(`(?<day>\\d\\d?)[-_. ]?${month}[-_. ]?${year}${gap}${clock}${tail}`), read: monthByName },
  {
    pattern: new RegExp(`(?<![a-z])${month}[-_. ](?<day>\\d\\d?),?[-_. ]${year}${gap}${looseClock}${tail}`, 'gi'),
    read: monthByName,
  },
  { pattern: /(?<!\d)(?<seconds>1\d{9})(?:[._]?(?<more>\d{9}|\d{6}|\d{3}|(?<=\.)\d\d?))?(?!\d)/g, read: sinceEpoch },
];

/** Which number is the day and which the month is decided by all names of a folder. */
const ambiguous: readonly { read: NameFormat['read']; words: string }[] = [
  { read: numbersAs(['c', 'b', 'a']), words: 'day-month-year' },
  { read: numbersAs(['c', 'a', 'b']), words: 'month-day-year' },
  { read: numbersAs(['a', 'b', 'c']), words: 'year-month-day' },
];
const separatedPatterns = [
  expression(`${threeNumbers}${gap}${looseClock}${tail}`),
  expression(`${threeNumbers}${gap}${clock}${tail}`),
];
const ambiguousFormats = [
  ...separatedPatterns.flatMap(pattern => ambiguous.map(reading => ({ pattern, ...reading }))),
  // Without separators people write the year first.
  ...ambiguous.toReversed().map(reading => ({ pattern: expression(sixDigits), ...reading })),
];

/** A year, or seconds since 1970: a quick look at names that have no time. */
const mayHoldTime = /(?:19|20)\d\d|(?<!\d)1\d{9}/;

function readAs({ pattern, read }: NameFormat, name: string): NameTime | null {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(name); match; match = pattern.exec(name)) {
    const time = read(match.groups as Groups);
    if (time) return { time, rest: `${name.slice(0, match.index)} ${name.slice(pattern.lastIndex)}` };
  }
  return null;
}

/**
 * The time that a file name carries by a format which says what it means, or null: `20250724_134513_569672`, `2025-07-24 at 1.05.00 PM`,
 * `2025-W30-4_134513`, `24Jul2025_134513`, `1753364713569`. Date and time each keep to one separator. After the seconds 3, 6 or 9 digits are a
 * fraction, and one or two behind a dot; any other number there is a counter. Numbers that are no date (`20251399_…`) are passed over.
 */
export function nameTime(name: string): NameTime | null {
  if (!mayHoldTime.test(name)) return null;
  for (const format of plain) {
    const found = readAs(format, name);
    if (found) return found;
  }
  return null;
}

export interface NameTimes {
  times: (NameTime | null)[];
  /** How dates were read that could be read in two ways; null when nothing was in doubt. */
  reading: string | null;
}

/** Names that decide how dates are read. */
const sampleSize = 500;

/** The times in all names of a folder, in their order. Dates such as `03-04-2025` are read in the one way that suits all of them best. */
export function nameTimes(names: readonly string[]): NameTimes {
  const times = names.map(nameTime);
  const missing = names.filter((_, i) => !times[i]);
  if (2 * missing.length <= names.length) return { times, reading: null };

  const step = Math.max(1, Math.floor(missing.length / sampleSize));
  const sample = missing.filter((_, i) => i % step === 0);
  const readings = ambiguousFormats
    .map(format => ({ format, ...suits(format, sample) }))
    .filter(({ count }) => 2 * count >= sample.length)
    // Of readings that fit as many names, the one is right in which the run is shortest.
    .sort((a, b) => b.count - a.count || a.span - b.span);
  const [best, next] = readings;
  if (!best) return { times, reading: null };
  const inDoubt =
    next !== undefined && next.count === best.count && next.span === best.span && next.first !== best.first;
  return {
    times: times.map((time, i) => time ?? readAs(best.format, names[i] as string)),
    reading: inDoubt ? best.format.words : null,
  };
}

function suits(format: NameFormat, names: readonly string[]): { count: number; span: number; first: number } {
  let [count, first, last] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const name of names) {
    const found = readAs(format, name);
    if (!found) continue;
    count++;
    first = Math.min(first, found.time.wallMs);
    last = Math.max(last, found.time.wallMs);
  }
  return { count, span: last - first, first };
}
