import { byteLength, type FrameShape } from '../image/frameTarget.ts';
import { reusableMemory } from '../image/reusableMemory.ts';
import type { FrameAnalysis } from './roiPiece.ts';

/** A frame in memory that all threads see, as it is told to helpers, which may be before it is decoded. */
export interface SharedFrame extends FrameShape {
  pixels: SharedArrayBuffer;
  /** Of the `RoiQueue`. */
  queue: SharedArrayBuffer;
}

/**
 * Pixels in ROIs from which a frame is worth sharing. A helper costs 0.3 ms and a copy, where the decoder is not one of ours, 0.2 ns
 * a pixel of the frame; a pixel in a ROI costs 15 ns (`roi`) to 60 ns (`rows`). From here on, sharing costs less than a tenth of
 * what it saves with two cores.
 */
const minPixels = 1 << 20;

export function isWorthSharing({ rois: { rois } }: FrameAnalysis): boolean {
  return rois.reduce((sum, { size: [rows, cols] }) => sum + rows * cols, 0) >= minPixels;
}

/** Memory in which this thread's frames lie, one after the other. */
const memory = reusableMemory(bytes => new SharedArrayBuffer(bytes));

/** Memory for a frame that all threads may see. The frame that this thread had before is overwritten. */
export const frameMemory = (shape: FrameShape): SharedArrayBuffer => memory(byteLength(shape));
