import { z } from 'zod';
import { type Files, nodeFiles } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { DamagedJsonError, parseJson, readValidJson } from '../../files/readJson.ts';
import { counted } from '../../model/quantity.ts';
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
/** Qualities that say that a value may be that of something else. */
const distrustedWords: readonly string[] = ['lost', 'flips', 'low light', 'edge', 'noisy'] satisfies QualityWord[];

const roiSchema = z.object({
  name: z.string(),
  noise: z.number().nullable(),
  quality: z.object({ word: z.string(), reason: z.string() }),
});
const figuresSchema = z.object({ frames: z.number(), complete: z.boolean(), rois: z.array(roiSchema) });
const changeSchema = z.object({
  kind: z.enum(['roi', 'resonance', 'movement', 'group']),
  name: z.string(),
  time: z.string().transform(text => Date.parse(`${text}Z`)),
  timeSigma: z.number(),
  height: z.number(),
  heightSigma: z.number(),
  settled: z.boolean(),
});

/**
 * Noise, quality and changes of the ROIs of a run: those that the pipeline has kept up while it went on, where they are of the same images; else they
 * are worked out from as many images as take a bounded time.
 *
 * @param kept `results_dir`; null: the images are only a part of the run
 * @throws the file system's errors
 */
export async function readReportFigures(
  frames: ChosenFrames,
  settings: QuantitySettings,
  kept: string | null,
  files: Pick<Files, 'open' | 'stat'> = nodeFiles,
): Promise<ReportFigures> {
  const own = kept === null ? null : await keptFigures(frames.count, kept, files);
  if (own) return { ...asMaps(own.rois), ...withLargest(own.changes), note: null };
  const every = Math.max(1, Math.ceil((frames.count * frames.labels.length) / mostFollowed));
  const { figures, changes } = await readQuantities({ ...frames, read: () => frames.read(every) }, settings);
  const note =
    every === 1
      ? null
      : `Noise, changes and quality are worked out from one of every ${every} of ${counted(frames.count, 'image')}.`;
  return { ...asMaps(figures.rois), ...withLargest(changes), note };
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

/** Null where they are of other images, or can't be read. */
async function keptFigures(
  images: number,
  results: string,
  files: Pick<Files, 'open' | 'stat'>,
): Promise<{ rois: z.infer<typeof roiSchema>[]; changes: ShiftChange[] } | null> {
  try {
    const figures = await readValidJson(files, quantitiesFile(results), figuresSchema);
    // The newest few may still be missing.
    if (!figures?.complete || figures.frames > images || figures.frames < 0.99 * images - 16) return null;
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
