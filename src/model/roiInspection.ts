import type { AnalysisMethod, Estimator } from './method.ts';
import type { RoiResult } from './result.ts';
import type { Roi } from './roi.ts';

/** All that the analysis saw of one ROI in one frame: for pictures, and for people who wonder. Plain data. */
export interface RoiInspection {
  /** As it was sampled: moved with the chip where regions follow it. */
  roi: Roi;
  method: AnalysisMethod;
  estimator: Estimator;
  /** Counts, rows × columns, row by row, turned and mirrored as the analysis takes them. */
  pixels: Float64Array;
  /** Count from which a pixel is saturated; null: none is. */
  saturation: number | null;
  /** What was fitted, from the first row of the ROI to the last. */
  rows: readonly InspectedRow[];
  result: RoiResult;
  /** What the shift was measured from; null where there is none. */
  reference: InspectedReference | null;
}

/** A row of the ROI, or several that were averaged. */
export interface InspectedRow {
  /** Rows of the ROI, the last one not included; whole numbers or parts. */
  from: number;
  to: number;
  /** Pixels from the ROI's left edge; null for a row that is not used. */
  position: number | null;
  /** Why it is not used. */
  rejection: string | null;
  /** The fitted line at each column, counts; null where there is none, as with a method that fits no line. */
  fit: Float64Array | null;
}

/** Frame over reference, as the shift's fit sees it; means over the rows by bins of neighbouring pixels. */
export interface InspectedReference {
  hash: string;
  position: number;
  positionError: number;
  /** Counts without light. */
  darkLevel: number;
  /** Null where the frame was not compared with the pattern: positions alone say the shift then. */
  ratio: InspectedRatio | null;
}

export interface InspectedRatio {
  /** Column of the middle of each bin. */
  columns: Float64Array;
  /** Light of frame and reference, counts above the dark level. */
  frame: Float64Array;
  reference: Float64Array;
  /** Logarithm of frame over reference, as measured, and as the fit has it; the second is null where no fit was found. */
  measured: Float64Array;
  fitted: Float64Array | null;
  /** Part of the blocks that the fit rests on; null as above. */
  usedShare: number | null;
}

/** The mean of the rows that are used (of all, where none is), and of their fits: counts. */
export function meanRow({ roi, pixels, rows }: Pick<RoiInspection, 'roi' | 'pixels' | 'rows'>): {
  measured: number[];
  fit: number[] | null;
} {
  const [height, width] = roi.size;
  const isUsed = new Uint8Array(height);
  for (const { from, to, position } of rows) if (position !== null) isUsed.fill(1, Math.floor(from), Math.ceil(to));
  const all = isUsed.every(value => value === 0);
  const measured = new Array<number>(width).fill(0);
  let count = 0;
  for (let row = 0; row < height; row++) {
    if (!all && isUsed[row] === 0) continue;
    count++;
    for (let x = 0; x < width; x++) measured[x]! += pixels[row * width + x]!;
  }
  const fits = rows.flatMap(({ fit }) => (fit ? [fit] : []));
  return {
    measured: measured.map(sum => sum / count),
    fit: fits.length === 0 ? null : measured.map((_, x) => fits.reduce((sum, fit) => sum + fit[x]!, 0) / fits.length),
  };
}

/** One ROI looked into anew, beside what is recorded of it. */
export interface LookedInto {
  inspection: RoiInspection;
  /** As the result line has it; null where there is none. */
  recorded: RoiResult | null;
  /** What differs from the line, a sentence each; empty: the same numbers. */
  differences: readonly string[];
}

/** One ROI of the newest frame that was analysed. */
export interface RoiLook {
  label: string;
  /** Name of the image, and when it was taken, ms since 1970 UTC. */
  image: string;
  at: number;
  /** What was seen, or why nothing could be. */
  seen: LookedInto | string;
}
