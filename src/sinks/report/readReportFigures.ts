import { z } from 'zod';
import { type Files, nodeFiles } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { DamagedJsonError, parseJson, readValidJson } from '../../files/readJson.ts';
import { medianOf } from '../../model/median.ts';
import { counted, number } from '../../model/quantity.ts';
import type { QualityWord, ShiftChange } from '../../quantities/quantities.ts';
import { changesFile, quantitiesFile } from '../quantities/quantitiesFile.ts';
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
/** Changes of a longer file are found anew, bytes. */
const longestChanges = 32 << 20;
/** The newest images may not have been followed yet. */
const newestImages = 16;
/** Qualities that say that a value may be that of something else. */
const distrustedWords: readonly string[] = ['lost', 'flips', 'low light', 'edge', 'noisy'] satisfies QualityWord[];

const roiSchema = z.object({
  name: z.string(),
  noise: z.number().nullable(),
  quality: z.object({ word: z.string(), reason: z.string() }),
});
const clockSchema = z.string().transform(text => Date.parse(`${text}Z`));
const figuresSchema = z.object({
  frames: z.number(),
  first: clockSchema,
  last: clockSchema,
  complete: z.boolean(),
  rois: z.array(roiSchema),
});
const changeSchema = z.object({
  kind: z.enum(['roi', 'resonance', 'movement', 'group']),
  name: z.string(),
  time: clockSchema,
  timeSigma: z.number(),
  height: z.number(),
  heightSigma: z.number(),
  settled: z.boolean(),
});

/**
 * Noise, quality and changes of the ROIs in some images of a run. Changes are those that the pipeline has found while it went on, for it has followed
 * every image; noise and quality too, where the images are the whole run. Else they are worked out from as many images as take a bounded time.
 *
 * @param run folder of the results, and whether the images are only a part of the run
 * @throws the file system's errors
 */
export async function readReportFigures(
  frames: ChosenFrames,
  settings: QuantitySettings,
  run: { results: string; isPart: boolean },
  files: Pick<Files, 'open' | 'stat'> = nodeFiles,
): Promise<ReportFigures> {
  const kept = await keptFigures(frames, run, files);
  if (kept && !run.isPart) return { ...asMaps(kept.rois), ...withLargest(kept.changes), note: null };
  const { count, labels, first, last } = frames;
  const isShort = count * labels.length <= mostFollowed;
  const newest = isShort ? count : Math.ceil(mostFollowed / (kept ? 1 : 2) / labels.length);
  const followed = await readQuantities({ ...frames, read: () => frames.read(1, newest) }, settings);
  const maps = asMaps(followed.figures.rois);
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

const asMaps = (rois: readonly z.infer<typeof roiSchema>[]): Pick<ReportFigures, 'noise' | 'distrust'> => ({
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

/** Null where they are not of all these images, or can't be read. */
async function keptFigures(
  { count, first, last, intervals }: ChosenFrames,
  { results, isPart }: { results: string; isPart: boolean },
  files: Pick<Files, 'open' | 'stat'>,
): Promise<{ rois: z.infer<typeof roiSchema>[]; changes: ShiftChange[] } | null> {
  try {
    const figures = await readValidJson(files, quantitiesFile(results), figuresSchema);
    if (!figures?.complete || figures.frames < 0.99 * count - newestImages) return null;
    if (isPart) {
      const usual = medianOf(intervals()) || 0;
      if (figures.first > first || figures.last < last - newestImages * usual) return null;
    } else if (figures.frames > count) return null;
    const path = changesFile(results);
    const size = (await files.stat(path))?.size ?? 0;
    if (size > longestChanges) return null;
    const lines = size === 0 ? [] : String(await readBytes(files, path)).split('\n');
    // After a crash some stand there twice, and the last may be half written.
    const whole = new Set(lines.slice(0, -1));
    return { rois: figures.rois, changes: [...whole].map(line => parseJson(line, changeSchema)) };
  } catch (error) {
    if (!(error instanceof DamagedJsonError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    // They can be worked out.
    return null;
  }
}
