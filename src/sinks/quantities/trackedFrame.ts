import type { RoiFlag } from '../../model/result.ts';
import type { ValueKind } from '../../quantities/seriesState.ts';
import type { TrackedFrame } from '../../quantities/trackRun.ts';
import type { SeriesHeader } from '../series/seriesHeader.ts';
import type { SeriesRow } from '../series/seriesRow.ts';

/** Flags with which a shift is that of something else; of several, the first. */
const distrusted = ['lost', 'two_peaks', 'low_signal', 'edge'] as const satisfies readonly (RoiFlag & ValueKind)[];

/** For the flags of a segment. */
const kindsOf = new WeakMap<readonly string[], readonly ValueKind[]>();

/** What each combination of flags of a segment says. */
function kindsByFlags(flags: readonly string[]): readonly ValueKind[] {
  let kinds = kindsOf.get(flags);
  if (!kinds) {
    kinds = Array.from(
      { length: 2 ** flags.length },
      (_, bits): ValueKind => distrusted.find(flag => (bits >> flags.indexOf(flag)) & 1) ?? 'good',
    );
    kindsOf.set(flags, kinds);
  }
  return kinds;
}

/** A row of the series as the tracker takes it. @param sensor the one that counts; empty: the first */
export function trackedFrame(
  row: SeriesRow,
  { labels, sensors, flags, reference }: Pick<SeriesHeader, 'labels' | 'sensors' | 'flags' | 'reference'>,
  sensor: string,
): TrackedFrame {
  const kinds = kindsByFlags(flags);
  const place = sensor === '' ? 0 : sensors.findIndex(each => each.toLowerCase() === sensor.toLowerCase());
  return {
    time: Number.isNaN(row.utc) ? row.local : row.utc,
    local: row.local,
    labels,
    reference: reference ?? null,
    shifts: row.shifts,
    sigmas: row.shiftUncertainties,
    kindOf: roi => kinds[row.flags[roi]!]!,
    temperature: row.temperatures[place] ?? Number.NaN,
  };
}
