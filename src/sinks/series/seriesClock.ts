import { localTimesInOrder, parseIso } from '../../model/localTime.ts';
import type { ResultLine } from '../../model/result.ts';
import type { SeriesRow } from './seriesRow.ts';

/** Where a result stands in time, as a row has it. */
export type SeriesClock = (line: ResultLine) => Pick<SeriesRow, 'local' | 'utc'>;

/**
 * For results in about the order in which they were taken. Where one does not tell UTC (it is of an earlier version, or its image has no time
 * of its own), its time is taken to be of this machine, or of the zone that those before it were of.
 */
export function seriesClock(): SeriesClock {
  const instantHere = localTimesInOrder();
  /** The zone of the times, from that of this machine, ms. */
  let zoneFromHere = 0;
  return ({ image_timestamp: taken, image_timestamp_utc: utc, manifest_entry_timestamp: recorded }) => {
    const shown = taken ?? recorded ?? '';
    const local = parseIso(/(?:Z|[+-]\d\d:?\d\d)$/.test(shown) ? shown : `${shown}Z`);
    if (taken !== null && utc === null) return { local, utc: Number.NaN };
    const here = instantHere(shown);
    if (taken === null || utc === undefined) return { local, utc: here - zoneFromHere };
    const instant = parseIso(utc as string);
    if (!Number.isNaN(instant)) zoneFromHere = here - instant;
    return { local, utc: instant };
  };
}
