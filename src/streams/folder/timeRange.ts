import { clockIso } from '../../model/localTime.ts';
import { timeOfDayText } from '../../model/namedTime.ts';
import type { ListedImage } from './listedImage.ts';
import { SourceError } from './sourceError.ts';
import { calendarMs, fractionMs, instantOf } from './wallTime.ts';

/** From `from` up to but without `end`, in milliseconds of the frames' own clock (see WallTime). */
export interface TimeRange {
  from: number;
  end: number;
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?$/;

/**
 * The range that `--from` and `--to` name. `to` takes in the whole of what it names: the day of `2025-07-24`, the minute of
 * `2025-07-24T13:45`. Both are in the frames' local time, so a zone has no place in them.
 *
 * @throws SourceError `usage`
 */
export function timeRange(from: string | undefined, to: string | undefined): TimeRange {
  const range = {
    from: from === undefined ? Number.NEGATIVE_INFINITY : moment('from', from).start,
    end: to === undefined ? Number.POSITIVE_INFINITY : moment('to', to).end,
  };
  if (range.from >= range.end) throw new SourceError('usage', `from ${from} is later than to ${to}`);
  return range;
}

/**
 * The same of images from one time to another, where a bare time of day is the first such that is not over when they begin; for `to`, when the range
 * begins.
 *
 * @throws SourceError `usage`
 */
export function timeRangeWithin(
  from: string | undefined,
  to: string | undefined,
  first: number,
  last: number,
): TimeRange {
  const start = from && onDay('from', from, first, last);
  const begins = start ? Math.max(first, moment('from', start).start) : first;
  return timeRange(start, to && onDay('to', to, begins, Number.POSITIVE_INFINITY));
}

function onDay(option: string, text: string, after: number, last: number): string {
  const time = timeOfDayText(text);
  if (time === null) return text;
  if (Number.isNaN(after)) {
    throw new SourceError(
      'usage',
      `${option}: ${JSON.stringify(text)}: the images tell their times only when they are read; write the day too, as 2025-07-24T13:45`,
    );
  }
  const [today, next] = [after, after + 86_400_000].map(day => `${clockIso(day).slice(0, 10)}T${time}`);
  const isOver = moment(option, today!).end <= after;
  return isOver && moment(option, next!).start <= last ? next! : today!;
}

function moment(option: string, text: string): { start: number; end: number } {
  const match = pattern.exec(text.trim());
  const [year, month, day, hour, minute, second] = (match ?? []).slice(1, 7).map(part => Number(part ?? 0));
  const base = match ? calendarMs(year, month, day, hour, minute, second) : null;
  if (!match || base === null)
    throw new SourceError(
      'usage',
      `${option}: ${JSON.stringify(text)} is no date or time; write 2025-07-24, 2025-07-24T13:45 or 2025-07-24T13:45:13.5, in the images' local time without a zone`,
    );
  const start = base + fractionMs(match[7]);
  const unit = match[7] ? 10 ** (3 - match[7].length) : match[6] ? 1000 : match[4] ? 60_000 : 86_400_000;
  return { start, end: start + unit };
}

/** Every Nth image from the first on, at most `limit`. */
export function everyNth(images: readonly ListedImage[], every: number, limit: number): ListedImage[] {
  const chosen: ListedImage[] = [];
  for (let i = 0; i < images.length && chosen.length < limit; i += every) chosen.push(images[i]);
  return chosen;
}

/**
 * Images, in time order, that lie in a range; one without a time goes with the image before it (the first ones with the next).
 *
 * @throws SourceError `empty_range`
 */
export function imagesInRange(images: readonly ListedImage[], range: TimeRange, folder: string): ListedImage[] {
  const times = images.flatMap(({ time }) => (time ? [time] : []));
  let place = times[0].wallMs;
  const chosen = images.filter(({ time }) => {
    place = time?.wallMs ?? place;
    return place >= range.from && place < range.end;
  });
  if (chosen.length > 0) return chosen;
  const [first, last] = [times[0], times[times.length - 1]].map(time => instantOf(time, 'name').local);
  throw new SourceError(
    'empty_range',
    `${folder}: no image lies between the times asked for; they run from ${first} to ${last}`,
  );
}
