/**
 * Where things lie on the simulated chip, in pixels of the derotated frame: gratings in columns and rows, a letter beside
 * each row, a number above each column, tick marks between: what a chip looks like under the microscope.
 */

import type { Roi } from '../../../model/roi.ts';
import { glyphHeight, glyphRuns, glyphWidth } from './glyphs.ts';
import type { SimulatorOptions } from './simulatorOptions.ts';

/** A bright rectangle: part of a label, or a tick mark. Pixel k covers [k, k + 1). */
export interface Mark {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface ChipLayout {
  width: number;
  height: number;
  imageAngle: number;
  /** In the order of the ROI manifest: of each grating the lower half `_N`, mirrored, then the upper `_S`. */
  rois: readonly Roi[];
  marks: readonly Mark[];
  /** What a chip map says of it: the gratings as they are lit, and the texts beside them. */
  gratings: readonly NamedMark[];
  labels: readonly NamedMark[];
}

export interface NamedMark extends Mark {
  name: string;
}

/** Pixels that the light of a half reaches beyond its ROI. */
export const overhang = 2;
/** Pixels between the halves of a grating, so that their light meets. */
const halfGap = 2 * overhang;
/** Degrees: chips that are turned by less are laid out as one that is turned by so much, so that one chip map is that of all of them. */
const leastTurn = 0.6;
const letters = 'ABCDEFGHIJKLMN';

/** @throws RangeError when the gratings don't fit into the frame, saying how many would */
export function chipLayout(options: SimulatorOptions): ChipLayout {
  const { width, height, imageAngle, columns, rows, roiRows, roiColumns } = options;
  if (rows > letters.length) throw new RangeError(`simulator: rows is ${rows}; at most ${letters.length} have letters`);
  const cell = Math.max(2, Math.round(roiRows / 10));
  // What the rotation moves at the edge, and a little.
  const turn = Math.sin((Math.max(leastTurn, Math.abs(imageAngle)) * Math.PI) / 180);
  const marginX = Math.ceil((turn * height) / 2) + 8;
  const marginY = Math.ceil((turn * width) / 2) + 8;
  const left = marginX + (glyphWidth + 4) * cell;
  const top = marginY + (glyphHeight + 2) * cell;
  const pitchX = Math.floor((width - left - marginX) / columns);
  const pitchY = Math.floor((height - top - marginY) / rows);
  const gratingHeight = 2 * roiRows + halfGap;
  if (pitchX < roiColumns + 6 || pitchY < gratingHeight + 6) {
    const fitX = Math.max(0, Math.floor((width - left - marginX) / (roiColumns + 6)));
    const fitY = Math.max(0, Math.floor((height - top - marginY) / (gratingHeight + 6)));
    throw new RangeError(
      `simulator: ${columns} × ${rows} gratings of ${roiColumns} × ${gratingHeight} pixels don't fit into a frame of ` +
        `${width} × ${height}; ${fitX} × ${fitY} would`,
    );
  }

  const rois: Roi[] = [];
  const marks: Mark[] = [];
  const gratings: NamedMark[] = [];
  const labels: NamedMark[] = [];
  const text = (value: string, x: number, y: number): void => {
    const columns = (glyphWidth + 1) * value.length - 1;
    labels.push({ name: value, left: x, top: y, width: columns * cell, height: glyphHeight * cell });
    for (const run of glyphRuns(value))
      marks.push({ left: x + run.x * cell, top: y + run.y * cell, width: run.length * cell, height: cell });
  };
  for (let row = 0; row < rows; row++) {
    const y = top + row * pitchY;
    const letterTop = y + Math.round((gratingHeight - glyphHeight * cell) / 2);
    text(letters[row], marginX, letterTop);
    for (let tick = 0; tick < 4; tick++) {
      const tickTop = y + Math.round((tick * pitchY) / 4);
      const isClear = tickTop + cell < letterTop || tickTop > letterTop + (glyphHeight + 1) * cell;
      if (isClear) marks.push({ left: marginX + cell, top: tickTop, width: 3 * cell, height: Math.ceil(cell / 2) });
    }
    for (let column = 0; column < columns; column++) {
      const index = row * columns + column;
      const x = left + column * pitchX;
      const label = `${String(index + 1).padStart(3, '0')}${index % 2 === 0 ? 'A' : 'B'}`;
      const size = [roiRows, roiColumns] as const;
      gratings.push({
        name: label,
        left: x - overhang,
        top: y - overhang,
        width: roiColumns + 2 * overhang,
        height: gratingHeight + 2 * overhang,
      });
      rois.push({ label: `${label}_N`, flip: true, coords: [y + roiRows + halfGap, x], size });
      rois.push({ label: `${label}_S`, flip: false, coords: [y, x], size });
    }
  }
  for (let column = 0; column < columns; column++) {
    const name = String(column + 1);
    const half = ((glyphWidth + 1) * name.length - 1) * cell;
    text(name, left + column * pitchX + Math.round((roiColumns - half) / 2), marginY);
  }
  return { width, height, imageAngle, rois, marks, gratings, labels };
}
