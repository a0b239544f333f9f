import { counted, number } from '../../model/quantity.ts';
import type { QualityWord, RunFigures, ShiftChange } from '../../quantities/quantities.ts';
import { type QuantitySettings, readQuantities } from '../quantities/readQuantities.ts';
import type { ChosenFrames } from '../series/chosenFrames.ts';

/** Of ROIs by their labels. */
export interface ReportFigures {
  /** px */
  noise: ReadonlyMap<string, number | null>;
  /** Why a ROI is to be distrusted now, in words. */
  distrust: ReadonlyMap<string, string>;
  changes: readonly ShiftChange[];
  /** The largest change of each ROI. */
  largest: ReadonlyMap<string, ShiftChange>;
  /** What they are from, where that is not every image; for whoever reads them. */
  note: string | null;
}

/** Shifts that are followed anew at most: a quarter of a minute on a small machine. */
const mostFollowed = 1_300_000;
/** Qualities that say that a value may be that of something else. */
const distrustedWords: readonly string[] = ['lost', 'flips', 'low light', 'edge', 'noisy'] satisfies QualityWord[];

/** What the pipeline has found in every image of a run. */
export interface KeptFigures {
  figures: RunFigures;
  changes: readonly ShiftChange[];
}

/**
 * Noise, quality and changes of the ROIs in some images of a run. Changes are those that the pipeline has found while it went on, for it has followed
 * every image; noise and quality too, where the images are the whole run. Else they are worked out from as many images as take a bounded time.
 *
 * @param kept null: it has followed none @param isPart the images are only a part of the run
 * @throws the file system's errors
 */
export async function readReportFigures(
  frames: ChosenFrames,
  settings: QuantitySettings,
  { kept, isPart }: { kept: KeptFigures | null; isPart: boolean },
): Promise<ReportFigures> {
  if (kept && !isPart) return { ...asMaps(kept.figures), ...withLargest(kept.changes), note: null };
  const { count, labels, first, last } = frames;
  const isShort = count * labels.length <= mostFollowed;
  const newest = isShort ? count : Math.ceil(mostFollowed / (kept ? 1 : 2) / labels.length);
  const followed = await readQuantities({ ...frames, read: () => frames.read(1, newest) }, settings);
  const maps = asMaps(followed.figures);
  const note = isShort
    ? null
    : `Noise and quality are those of the last ${number(newest)} of ${counted(count, 'image')}.`;
  if (kept) {
    const changes = kept.changes.filter(({ time }) => time >= first && time <= last);
    return { ...maps, ...withLargest(changes), note };
  }
  if (isShort) return { ...maps, ...withLargest(followed.changes), note };
  const every = Math.ceil((2 * count * labels.length) / mostFollowed);
  const { changes } = await readQuantities({ ...frames, read: () => frames.read(every) }, settings);
  const lack = `Changes are found in one of every ${every} images, for the pipeline has kept none of this run: phorest quantities --changes follows all.`;
  return { ...maps, ...withLargest(changes), note: `${note} ${lack}` };
}

const asMaps = ({ rois }: RunFigures): Pick<ReportFigures, 'noise' | 'distrust'> => ({
  noise: new Map(rois.map(({ name, noise }) => [name, noise])),
  distrust: new Map(
    rois
      .filter(({ quality }) => distrustedWords.includes(quality.word))
      .map(({ name, quality: { word, reason } }) => [name, `${word}: ${reason}`]),
  ),
});

function withLargest(changes: readonly ShiftChange[]): Pick<ReportFigures, 'changes' | 'largest'> {
  const largest = new Map<string, ShiftChange>();
  for (const change of changes) {
    const { kind, name, height } = change;
    if (kind === 'roi' && Math.abs(height) > Math.abs(largest.get(name)?.height ?? 0)) largest.set(name, change);
  }
  return { changes, largest };
}
