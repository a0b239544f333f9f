import { join } from 'node:path';
import { clockIso } from '../../model/localTime.ts';
import { independentOf } from '../../quantities/noiseModel.ts';
import type { RunFigures, SeriesFigures } from '../../quantities/quantities.ts';

/** `results_dir/quantities.json`: what is known now. */
export const quantitiesFile = (results: string): string => join(results, 'quantities.json');
/** `results_dir/changes.jsonl`: a line a change, in the order in which they were found. */
export const changesFile = (results: string): string => join(results, 'changes.jsonl');

/** Six digits: no figure is known better. */
const short = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;

/** The newest changes of a series in the file; all are in {@link changesFile}. */
const shownChanges = 3;

/** Times of it stay whole: they are ms since 1970. */
const compact = ({ allan, changes, ...figures }: SeriesFigures) => ({
  ...figures,
  // Least of all averages: what longer ones do not make better.
  floor: allan
    .filter(point => independentOf(point) >= 2)
    .reduce<{ frames: number; deviation: number } | null>(
      (least, { frames, deviation }) => (least && least.deviation <= deviation ? least : { frames, deviation }),
      null,
    ),
  changes: changes
    .slice(-shownChanges)
    .map(({ name, kind, ...change }) => ({ ...change, time: Math.round(change.time) })),
});

/** The text of {@link quantitiesFile}. @param complete false while what was before is still looked through */
export function quantitiesText(figures: RunFigures, complete: boolean): string {
  const { rois, pairs, groups, first, last, zero, references, ...run } = figures;
  return `${JSON.stringify(
    {
      ...run,
      first: timeOf(first),
      last: timeOf(last),
      complete,
      zero: zero && { from: timeOf(zero.from), to: timeOf(zero.end) },
      references: references.map(({ reference, since }) => ({ reference, since: timeOf(since) })),
      rois: rois.map(compact),
      pairs: pairs.map(({ name, resonance, movement }) => ({
        name,
        resonance: compact(resonance),
        movement: compact(movement),
      })),
      groups: groups.map(compact),
    },
    short,
  )}\n`;
}

/** As the clock at the camera showed it. */
const timeOf = (local: number): string | null => (Number.isNaN(local) ? null : clockIso(local));
