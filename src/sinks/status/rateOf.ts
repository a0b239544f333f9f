/** What was finished at about the same time. Times are ms since 1970 UTC. */
export interface Finished {
  first: number;
  last: number;
  items: number;
  rows: number;
  bytes: number;
  /** How long the stage had worked in all when the first of them was finished, ms. */
  workedMs: number;
}

/** The newest groups of finished items, oldest first; at most {@link maxGroups}. */
export type RecentlyFinished = readonly Finished[];

/** What is finished within so long of each other is one group, of at most this length, ms: a batch is told of item by item. */
const groupGapMs = 50;
const groupLengthMs = 250;
const maxGroups = 64;

/** A rate is taken over so many ms and gaps between groups, where there are so many. */
const enoughMs = 3_000;
const enoughGaps = 4;
/** After so many gaps, and so long, a gap of another pace (this many times longer or shorter) is that of another time. */
const fewGaps = 3;
const fewMs = 1_000;
const otherPace = 5;
/** Gaps that differ from their mean by less than this part are even; an older one that differs by more than that is of another time then. */
const even = 0.1;
const uneven = 0.3;
/** Without anything finished for so many gaps as they were of late, and so long, nothing is finished any more. */
const stallGaps = 4;
const shortestStallMs = 5_000;

/** What was finished now, with those before it. A clock that was set back begins anew. */
export function withFinished(
  recent: RecentlyFinished,
  now: Omit<Finished, 'first' | 'last'>,
  at: number,
): RecentlyFinished {
  const newest = recent.at(-1);
  if (newest && at < newest.last) return [{ ...now, first: at, last: at }];
  if (newest && at - newest.last <= groupGapMs && at - newest.first < groupLengthMs) {
    const { items, rows, bytes } = now;
    const joined = {
      ...newest,
      last: at,
      items: newest.items + items,
      rows: newest.rows + rows,
      bytes: newest.bytes + bytes,
    };
    return [...recent.slice(0, -1), joined];
  }
  return [...recent.slice(1 - maxGroups), { ...now, first: at, last: at }];
}

export interface Rate {
  perSecond: number;
  rowsPerSecond: number;
  bytesPerSecond: number;
  /** Share of the time that it worked, 0 to 1. */
  busy: number;
  /** Items a second if it worked all the time; null when that can't be told. */
  mostPerSecond: number | null;
  /** Whether this is over enough gaps to be remembered. */
  isSteady: boolean;
}

/**
 * How fast items are finished now; null while too few were finished to tell.
 *
 * It counts what was finished from one group to another, over the time between the two: so neither the moment at which it is asked nor
 * batches change it, and it holds for one an hour as for forty a second. It looks back only as far as the pace is the same. When nothing
 * follows, it falls, and then it is 0.
 *
 * @param at now. @param workedMs how long the stage has worked in all by now. @param expectedGapMs how far apart items should be; null: nobody knows.
 */
export function rateOf(
  recent: RecentlyFinished,
  at: number,
  workedMs: number,
  expectedGapMs: number | null,
): Rate | null {
  const newest = recent.at(-1);
  if (!newest) return null;
  const from = beginOf(recent, expectedGapMs);
  const gaps = recent.length - 1 - from;
  const oldest = recent[from] as Finished;
  const spanMs = newest.first - oldest.first;
  const gapMs = gaps > 0 ? spanMs / gaps : (expectedGapMs ?? 0);
  const silentMs = at - newest.last;
  if (silentMs > Math.max(shortestStallMs, stallGaps * gapMs)) {
    const busy = shareOf(workedMs - newest.workedMs, at - newest.first);
    return { perSecond: 0, rowsPerSecond: 0, bytesPerSecond: 0, busy, mostPerSecond: null, isSteady: false };
  }
  // After a first item that came late, the second one seems early.
  const seemsEarly = gaps === 1 && expectedGapMs !== null && spanMs < (1 - uneven) * expectedGapMs;
  if (gaps === 0 || seemsEarly) return null;
  const counted = recent.slice(from, -1);
  const sum = (of: (group: Finished) => number): number => counted.reduce((total, group) => total + of(group), 0);
  // In twice the time of a gap nothing has come: less than it was.
  const falls = Math.min(1, (2 * gapMs) / Math.max(silentMs, 1));
  const perSecond = (amount: number): number => (amount / spanMs) * 1000 * falls;
  const items = sum(group => group.items);
  const inWork = newest.workedMs - oldest.workedMs;
  return {
    perSecond: perSecond(items),
    rowsPerSecond: perSecond(sum(({ rows }) => rows)),
    bytesPerSecond: perSecond(sum(({ bytes }) => bytes)),
    busy: falls < 1 ? shareOf(workedMs - oldest.workedMs, at - oldest.first) : shareOf(inWork, spanMs),
    mostPerSecond: inWork > 0 && items > 0 ? items / (Math.min(inWork, spanMs) / 1000) : null,
    isSteady: gaps >= enoughGaps && spanMs >= enoughMs && falls === 1,
  };
}

const shareOf = (part: number, whole: number): number => (whole > 0 ? Math.max(0, Math.min(1, part / whole)) : 0);

/** The group from which on the pace is that of now. */
function beginOf(recent: RecentlyFinished, expectedGapMs: number | null): number {
  const newest = recent.length - 1;
  const end = recent[newest] as Finished;
  let items = 0;
  for (let from = newest; from > 0; from--) {
    const [before, begin] = [recent[from - 1] as Finished, recent[from] as Finished];
    const gaps = newest - from;
    const spanMs = end.first - begin.first;
    if (gaps >= enoughGaps && spanMs >= enoughMs) return from;
    // Two gaps, since one alone may be short or long by chance.
    const older = recent[Math.max(0, from - 2)] as Finished;
    const olderItems = older === before ? before.items : before.items + older.items;
    const pace = ((items / spanMs) * (begin.first - older.first)) / Math.max(olderItems, 1);
    const isOther = pace > otherPace || pace < 1 / otherPace;
    if (isOther && gaps >= fewGaps && spanMs >= fewMs) return from;
    if (isOther && gaps >= 1 && spanMs >= enoughMs) return from;
    if (spanMs >= enoughMs && isUneven(recent.slice(from - 1), expectedGapMs)) return from;
    items += before.items;
  }
  return 0;
}

/** Whether the first gap of these groups differs from the even ones behind it; of one alone the configuration says whether it is even. */
function isUneven(groups: RecentlyFinished, expectedGapMs: number | null): boolean {
  const [oldest = 0, ...gaps] = groups.slice(1).map(({ first }, i) => first - (groups[i] as Finished).first);
  const mean =
    gaps.length === 1 && expectedGapMs !== null ? expectedGapMs : gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const differs = (gap: number): number => Math.abs(gap / mean - 1);
  if (gaps.length === 1 && expectedGapMs === null) return false;
  return differs(oldest) > uneven && gaps.every(gap => differs(gap) < even);
}
