import { decodeFrame } from '../../image/decodeFrame.ts';
import { readImageFile } from '../../image/readImageFile.ts';
import type { MadeReference, ReferenceJob } from '../../model/analysisJob.ts';
import type { Pixels } from '../../model/frame.ts';
import type { RoiManifest } from '../../model/roi.ts';
import { createChipMovement, followed } from '../chipMovement.ts';
import { createFrameIntake } from '../frameIntake.ts';
import { createEstimator } from '../roiPiece.ts';
import { createReferenceBuilder } from './makeReference.ts';
import { encodeReference } from './reference.ts';

/**
 * Makes a reference from the first good frames of a job. Each image is read twice: which frames are good is known once all
 * have been looked at.
 */
export async function makeReference(job: ReferenceJob, imageBytes: number): Promise<MadeReference> {
  const builder = createReferenceBuilder({ ...job, estimator: createEstimator(job) });
  const see = job.followChip ? createChipMovement(job.rois) : null;
  /** Uses a frame with the regions where its chip lies, if they follow it. */
  const withFrame = <T>(path: string, use: (pixels: Pixels, saturation: number, rois: RoiManifest) => T): Promise<T> =>
    decoded(path, job, imageBytes, (pixels, saturation) => {
      const movement = see?.(pixels) ?? null;
      return use(pixels, saturation, movement === null ? job.rois : followed(job.rois, movement));
    });
  const lines: number[] = [];
  for (const path of job.paths) {
    // What can't be read or is of another size fails by itself, when it is analysed.
    lines.push(await withFrame(path, builder.count).catch(() => -1));
  }
  const good = builder.good(lines);
  if (good.length < job.frames) return { bytes: null, good, rois: 0, darkLevel: 0 };
  for (const place of good.slice(0, job.frames)) await withFrame(job.paths[place], builder.add);
  const reference = builder.finish();
  const { darkLevel, rois } = reference;
  return { bytes: encodeReference(reference), good: good.slice(0, job.frames), rois: rois.size, darkLevel };
}

async function decoded<T>(
  path: string,
  job: ReferenceJob,
  imageBytes: number,
  use: (pixels: Pixels, saturation: number) => T,
): Promise<T> {
  const intake = createFrameIntake({ ...job, keepValues: false }, null);
  try {
    const pixels = await decodeFrame(readImageFile(path, imageBytes), path, intake, imageBytes);
    return use(pixels, intake.survey().saturation);
  } finally {
    intake.withdraw();
  }
}
