import type { Pixels } from '../model/frame.ts';
import { fullScaleOf } from './histogram.ts';
import { type ReducedFrame, reduceFrame } from './reducedFrame.ts';
import { sharpness } from './sharpness.ts';

/** What a person wants to know of a frame while setting up a camera. */
export interface MeasuredFrame {
  pixels: Pixels;
  /** See {@link sharpness}. */
  sharpness: number;
  /** Count that stands for white. */
  fullScale: number;
  reduced: ReducedFrame;
}

/** Measures a frame in pieces, so that others are served between. @throws the signal's reason when it is aborted */
export async function measureFrame(pixels: Pixels, signal: AbortSignal): Promise<MeasuredFrame> {
  const reduced = await reduceFrame(pixels, signal);
  return { pixels, sharpness: sharpness(pixels), fullScale: fullScaleOf(reduced.histogram), reduced };
}

/** The histogram in so many equal parts from 0 to the full scale: the share of the pixels in each, 0 to 1. */
export function histogramBins(
  { reduced: { histogram, frameWidth, frameHeight }, fullScale }: MeasuredFrame,
  bins: number,
): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (let level = 0; level <= fullScale; level++) {
    const bin = Math.min(bins - 1, Math.floor((level * bins) / (fullScale + 1)));
    counts[bin] = (counts[bin] ?? 0) + histogram[level];
  }
  return counts.map(count => count / (frameWidth * frameHeight));
}
