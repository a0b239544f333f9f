import { inspectFrame } from '../analysis/inspectRoi.ts';
import type { FrameAnalysis } from '../analysis/roiPiece.ts';
import type { Config } from '../config/schema.ts';
import type { Files } from '../files/files.ts';
import type { Pixels } from '../model/frame.ts';
import type { ResultLine, RoiResult } from '../model/result.ts';
import type { RoiManifest } from '../model/roi.ts';
import type { LookedInto } from '../model/roiInspection.ts';
import { type ResultOrigin, readReference } from './resultOrigin.ts';

/** A frame of which ROIs can be looked into. */
export interface OpenFrame {
  /** Path of its image. */
  path: string;
  labels: readonly string[];
  /** @throws RoiOutsideFrameError; Error for a label that no ROI has. */
  look(label: string): LookedInto;
}

export interface OpenFrameDeps {
  files: Files;
  decode: (path: string) => Promise<Pixels>;
}

/** What is analysed with, as far as it is not recorded. */
export interface Otherwise {
  config: Config;
  /** Null: there is no ROI manifest. */
  rois: RoiManifest | null;
}

/** The image can't be looked into: the message says why. */
export class NoFrameError extends Error {
  override name = 'NoFrameError';
}

/**
 * Opens the image of a result with the settings, the ROIs and the reference that its line names; what is not known any more is as it is now.
 *
 * @throws NoFrameError when the image or a ROI manifest can't be reached; what the decoder throws.
 */
export async function openRecordedFrame(
  { line, image, config, rois, reference, missing }: ResultOrigin,
  otherwise: Otherwise,
  { files, decode }: OpenFrameDeps,
): Promise<OpenFrame> {
  const manifest = rois.manifest ?? otherwise.rois;
  if (image.path === null || manifest === null)
    throw new NoFrameError(missing.length > 0 ? missing.join('; ') : 'there is no ROI manifest');
  const bytes =
    reference.file === null || reference.hash === null
      ? null
      : await readReference(reference.file, reference.hash, files);
  const job = jobOf(config.config ?? otherwise.config, manifest);
  return opened(image.path, { ...job, reference: bytes }, line, await decode(image.path));
}

/** Opens an image that no result is known of. @throws what the decoder throws. */
export async function openPlainFrame(
  path: string,
  { config, rois, reference = null }: { config: Config; rois: RoiManifest } & Pick<FrameAnalysis, 'reference'>,
  decode: OpenFrameDeps['decode'],
): Promise<OpenFrame> {
  return opened(path, { ...jobOf(config, rois), reference }, null, await decode(path));
}

/** As the processor has it from its settings. */
function jobOf({ Data_Analysis: analysis, Development }: Config, rois: RoiManifest): FrameAnalysis {
  return {
    rois,
    method: analysis.method,
    estimator: analysis.estimator,
    numberOfSubRois: analysis.number_of_subROIs,
    keepValues: Development.debug_mode,
    followChip: analysis.follow_chip,
  };
}

function opened(path: string, job: FrameAnalysis, line: ResultLine | null, pixels: Pixels): OpenFrame {
  const frame = inspectFrame(pixels, job);
  return {
    path,
    labels: job.rois.rois.map(({ label }) => label),
    look: label => {
      const inspection = frame.inspect(label);
      const [, ...recordedRois] = line?.image_analysis ?? [null];
      const recorded = recordedRois.find(roi => roi['ROI-label'] === label) ?? null;
      return { inspection, recorded, differences: recorded ? differencesOf(inspection.result, recorded) : [] };
    },
  };
}

/** Names what is not the same, with both values where these are short. */
function differencesOf(now: RoiResult, recorded: RoiResult): string[] {
  const keys = [...new Set([...Object.keys(recorded), ...Object.keys(now)])];
  return keys.flatMap(key => {
    const [here, there] = [JSON.stringify(now[key] ?? null), JSON.stringify(recorded[key] ?? null)];
    if (here === there) return [];
    return here.length + there.length > 60 ? [`${key} differs`] : [`${key} is ${here} now and ${there} in the line`];
  });
}
