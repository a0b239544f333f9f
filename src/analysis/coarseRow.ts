import type { RowData } from './rowData.ts';

/** Values that a row is reduced to, about. */
const fewEnough = 44;

/** A row averaged over neighbouring pixels: a search that begins in it costs so much less. */
export interface CoarseRow {
  readonly values: Float64Array;
  readonly length: number;
  /** Pixels that each value averages, the first ones of the row on; 1: the row has too few to be reduced. */
  readonly step: number;
  /** A value with a pixel from the row's ceiling on stands at it, and so is left out as well. */
  fill(row: RowData): void;
}

/** Owns its buffer, which the next `fill` overwrites. */
export function createCoarseRow(): CoarseRow {
  let values = new Float64Array(2 * fewEnough);
  let length = 0;
  let step = 1;

  return {
    get values() {
      return values;
    },
    get length() {
      return length;
    },
    get step() {
      return step;
    },

    fill(row) {
      step = Math.max(1, Math.floor(row.length / fewEnough));
      length = Math.floor(row.length / step);
      if (step === 1) return;
      if (values.length < length) values = new Float64Array(length);
      const { values: pixels, ceiling, offset, count } = row;
      const isComplete = count === row.length;
      const share = 1 / step;
      const out = values;
      for (let k = 0, i = offset; k < length; k++) {
        let sum = 0;
        let highest = Number.NEGATIVE_INFINITY;
        for (const end = i + step; i < end; i++) {
          sum += pixels[i];
          if (!isComplete && pixels[i] > highest) highest = pixels[i];
        }
        out[k] = highest >= ceiling ? ceiling : sum * share;
      }
    },
  };
}
