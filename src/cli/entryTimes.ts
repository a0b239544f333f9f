import type { Entry } from '../model/entry.ts';
import { parseIso } from '../model/localTime.ts';
import { SourceError } from '../streams/folder/sourceError.ts';
import { timeRange } from '../streams/folder/timeRange.ts';
import { zoneMinutesOf } from '../streams/folder/wallTime.ts';

/** A moment that `--from` or `--to` names: ms since 1970, of the images' own clock or, when it was given with a zone, UTC. */
interface Bound {
  ms: number;
  zoned: boolean;
}

const zone = /^(.*\d\d:\d\d.*?)\s*(Z|[+-]\d\d:?\d\d)$/;

/**
 * Whether an entry's image was taken from `from` to `to`. Both are local times as `replay` takes them, or carry a zone; `to`
 * takes in the whole of what it names: the day of `2025-07-24`, the minute of `2025-07-24T13:45Z`.
 *
 * @throws SourceError `usage` for text that is no time, and for a `from` that is later than `to`.
 */
export function entryTimes(from: string | undefined, to: string | undefined): (entry: Entry) => boolean {
  const first = from === undefined ? null : bound(from, local => timeRange(local, undefined).from);
  const last = to === undefined ? null : bound(to, local => timeRange(undefined, local).end);
  if (first && last && first.zoned === last.zoned && first.ms >= last.ms)
    throw new SourceError('usage', `from ${from} is later than to ${to}`);
  return entry => {
    const { timestamp_utc: utc, camera_data: camera, entry_timestamp_iso: recorded } = entry;
    const taken = camera?.timestamp_iso ?? recorded;
    const at = ({ zoned }: Bound): number => (zoned ? parseIso(utc ?? taken) : parseIso(`${taken}Z`));
    return (!first || at(first) >= first.ms) && (!last || at(last) < last.ms);
  };
}

function bound(text: string, msOf: (local: string) => number): Bound {
  const [, local, offset] = zone.exec(text.trim()) ?? [];
  if (local === undefined) return { ms: msOf(text), zoned: false };
  return { ms: msOf(local) - zoneMinutesOf(offset)! * 60_000, zoned: true };
}
