import { medianInPlace } from '../nthSmallest.ts';
import { createJointFit, type JointLine, type Line } from './jointFit.ts';
import type { JointShape } from './jointShape.ts';
import type { RoiBins } from './roiBins.ts';
import type { RowBlocks } from './rowBlocks.ts';
import { createRowLines } from './rowLines.ts';
import type { RowScreen } from './rowScreen.ts';

/** Finds a line of one shape in a ROI, and then what each row says; owns its buffers. */
export interface LineSearch {
  /** Null when there is none. */
  find(bins: RoiBins, screen: RowScreen, blocks: RowBlocks): JointLine | null;
  /**
   * Parameters of the rows that are used, after `find` has found a line, with the median over them of the height over the
   * error. The parameters are overwritten by the next call.
   */
  rows(bins: RoiBins, screen: RowScreen, blocks: RowBlocks): { parameters: Float64Array[]; signal: number };
}

/** Of a Fano line. */
const maxParameters = 6;

export function createLineSearch(shape: JointShape): LineSearch {
  const fit = createJointFit(shape.kernel);
  const rowLines = createRowLines(shape.kernel);
  const method = shape.rowMethod();
  let signals = new Float64Array(0);
  const pool: Float64Array[] = [];
  const start = new Float64Array(method.parameters.length);

  /** The start, from the typical row; its bins count as pixels first. */
  function startIn(profile: Float64Array, { count, width }: RoiBins): Line | null {
    if (method.fitRow(profile, 0, count, Number.POSITIVE_INFINITY, start) !== null) return null;
    const line = shape.lineOf(start);
    line.position = line.position * width + (width - 1) / 2;
    line.width *= width;
    return line;
  }

  return {
    find(bins, { profile }, blocks) {
      const line = startIn(profile, bins);
      return line === null ? null : fit.run(blocks, bins, line);
    },

    rows(bins, { rejections }, blocks) {
      let used = 0;
      if (signals.length < bins.rows) signals = new Float64Array(bins.rows);
      while (pool.length < bins.rows) pool.push(new Float64Array(maxParameters));
      let prepared = -1;
      for (let row = 0; row < bins.rows; row++) {
        if (rejections[row] !== null) continue;
        const group = blocks.groupOf(row);
        if (group !== prepared) rowLines.prepare(fit, bins, blocks.places[group]);
        prepared = group;
        const line = rowLines.of(row);
        shape.write(line, line.error, pool[used]);
        signals[used++] = Math.abs(line.height) / Math.max(line.error, Number.MIN_VALUE);
      }
      return { parameters: pool.slice(0, used), signal: medianInPlace(signals, 0, used) };
    },
  };
}
