import { SourceError } from './sourceError.ts';
import { calendarMs, fractionMs } from './wallTime.ts';

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
