import { type GreyPicture, pictureMarks } from '../../model/framePicture.ts';
import { counted, withError } from '../../model/quantity.ts';
import { type InspectedRow, meanRow, type RoiInspection } from '../../model/roiInspection.ts';
import type { Drawing } from '../drawing.ts';
import { greyBlocks } from '../terminalPicture/greyBlocks.ts';
import { type Line, line, paragraph, type Segment, seg } from '../views/line.ts';
import { textPlot } from '../views/textPlot.ts';
import { chiText, shiftWithError } from './roiTable.ts';

/** One thing that is shown of a ROI. */
export interface RoiPart {
  title: string;
  /** Rows that it is worth at least, and has use for at most. */
  least: number;
  most: number;
  lines: (width: number, height: number) => Line[];
}

/** The numbers of a ROI in a frame. */
export function roiFigures(
  { roi, result, rows, method, estimator, reference }: RoiInspection,
  drawing: Drawing,
  zero = 0,
): Line[] {
  const { unicode } = drawing;
  const flags: Segment[] =
    result.flags.length === 0
      ? [seg('no flag', 'good')]
      : [seg(result.flags.join(', '), result.flags.includes('lost') ? 'bad' : 'warning')];
  const lines: Line[] = [
    [
      seg(' shift ', 'dim'),
      seg(
        shiftWithError((result.shift ?? Number.NaN) - zero, result.shift_uncertainty ?? Number.NaN, drawing),
        'strong',
      ),
      seg('  position ', 'dim'),
      seg(`${withError(result.position ?? Number.NaN, result.uncertainty ?? Number.NaN, { unicode })} px`, 'strong'),
    ],
    [
      seg(drawing.unicode ? ' χ² ' : ' chi2 ', 'dim'),
      seg(chiText(result.chi_squared ?? Number.NaN)),
      seg('  ', 'dim'),
      ...flags,
      seg(`  ${method}, ${estimator}`, 'dim'),
      seg(
        `  row ${Math.round(roi.coords[0])} column ${Math.round(roi.coords[1])}, ${roi.size[0]} ${drawing.unicode ? '×' : 'x'} ${roi.size[1]}${roi.flip ? ', mirrored' : ''}`,
        'dim',
      ),
    ],
    [
      seg(' rows ', 'dim'),
      seg(`${result.rows_used} used`),
      ...(result.rows_rejected > 0 ? [seg(`, ${rejectionWords(rows)}`, 'warning')] : []),
    ],
  ];
  if (reference)
    lines.push([
      seg(' reference ', 'dim'),
      seg(
        `${reference.hash}, position there ${withError(reference.position, reference.positionError, { unicode })} px, dark level ${Math.round(reference.darkLevel)}`,
      ),
    ]);
  return lines;
}

/** `3 rejected: 2 differing (rows 4, 17), 1 saturated (row 40)`. */
function rejectionWords(rows: readonly InspectedRow[]): string {
  const byReason = new Map<string, InspectedRow[]>();
  for (const row of rows)
    if (row.rejection !== null) byReason.set(row.rejection, [...(byReason.get(row.rejection) ?? []), row]);
  const words = [...byReason].map(([reason, of]) => {
    const named = of.slice(0, mostNamed).map(({ from, to }) => rowName(from, to));
    return `${of.length} ${reason} (${of.length === 1 ? 'row' : 'rows'} ${named.join(', ')}${of.length > mostNamed ? ', …' : ''})`;
  });
  const rejected = rows.filter(({ rejection }) => rejection !== null).length;
  return `${rejected} rejected: ${words.join(', ')}`;
}

const mostNamed = 6;
const rowName = (from: number, to: number): string =>
  to - from <= 1 ? String(Math.floor(from)) : `${Math.floor(from)} to ${Math.ceil(to) - 1}`;

/** The pictures and plots of a ROI in a frame. */
export function inspectionParts(inspection: RoiInspection, drawing: Drawing): RoiPart[] {
  const { roi, rows, result, reference } = inspection;
  const [height, width] = roi.size;
  const across = { low: 0, high: width - 1 };
  const columns = Array.from({ length: width }, (_, x) => x);
  const mean = meanRow(inspection);
  const { fit } = mean;
  const position =
    result.position === null
      ? []
      : [{ colour: 'outline' as const, letter: '|', ...upright(result.position, mean.measured) }];
  const used = rows.filter((row): row is InspectedRow & { position: number } => row.position !== null);
  const parts: RoiPart[] = [
    {
      title: 'pixels, and the position of each row',
      least: 5,
      most: 24,
      lines: (columnsOf, rowsOf) => pixelLines(inspection, columnsOf, rowsOf, drawing),
    },
    {
      title: `mean row${fit ? ' and fit' : ''}, counts`,
      least: 7,
      most: 18,
      lines: (w, h) =>
        textPlot(
          [
            ...position,
            { colour: 'median', letter: '.', xs: columns, ys: mean.measured },
            ...(fit ? [{ colour: 'curve0' as const, letter: '*', xs: columns, ys: fit }] : []),
          ],
          { width: w, height: h, x: across },
          drawing,
        ),
    },
  ];
  if (fit)
    parts.push({
      title: 'mean row less fit, counts',
      least: 6,
      most: 12,
      lines: (w, h) =>
        textPlot(
          [
            { colour: 'empty', letter: '-', xs: [0, width - 1], ys: [0, 0] },
            { colour: 'median', letter: '*', xs: columns, ys: mean.measured.map((value, x) => value - fit[x]!) },
          ],
          { width: w, height: h, x: across },
          drawing,
        ),
    });
  const ratio = reference?.ratio;
  const why = reference ? 'the frame was not compared with its pattern' : 'there is none';
  parts.push({
    title: ratio ? 'frame over reference, ln' : 'reference',
    least: ratio ? 7 : 2,
    most: ratio ? 16 : 2,
    lines: (w, h) =>
      ratio
        ? textPlot(
            [
              { colour: 'median', letter: '.', xs: ratio.columns, ys: ratio.measured, isDotted: true },
              ...(ratio.fitted
                ? [{ colour: 'curve0' as const, letter: '*', xs: ratio.columns, ys: ratio.fitted }]
                : []),
            ],
            { width: w, height: h, x: across },
            drawing,
          )
        : paragraph(` ${why}`, w, 2, 'dim', drawing),
  });
  parts.push({
    title: `position of ${counted(used.length, 'row')}, px`,
    least: 6,
    most: 16,
    lines: (w, h) =>
      textPlot(
        [
          ...(result.position === null
            ? []
            : [{ colour: 'outline' as const, letter: '-', xs: [0, height], ys: [result.position, result.position] }]),
          {
            colour: 'median',
            letter: 'o',
            xs: used.map(({ from, to }) => (from + to) / 2),
            ys: used.map(row => row.position),
            isDotted: true,
          },
        ],
        { width: w, height: h, x: { low: 0, high: height } },
        drawing,
      ),
  });
  return parts;
}

/** An upright line at a column, as high as the values. */
function upright(x: number, values: readonly number[]): { xs: number[]; ys: number[] } {
  return { xs: [x, x], ys: [Math.min(...values), Math.max(...values)] };
}

/** The pixels in half blocks, with a dot at the position of each row, and the rejected rows marked at the left. */
function pixelLines(inspection: RoiInspection, width: number, height: number, drawing: Drawing): Line[] {
  const { roi, rows } = inspection;
  const picture = roiPicture(inspection, { width: width - 2, height: 2 * height });
  const down = picture.height / roi.size[0];
  const marks = new Uint8Array(picture.width * picture.height);
  const rejected = new Set<number>();
  for (const { from, to, position, rejection } of rows) {
    const y = Math.min(picture.height - 1, Math.floor(((from + to) / 2) * down));
    if (rejection !== null) rejected.add(y >> 1);
    if (position === null) continue;
    const x = Math.round(((position + 0.5) / roi.size[1]) * picture.width - 0.5);
    if (x >= 0 && x < picture.width) marks[y * picture.width + x] = pictureMarks.outline;
  }
  return greyBlocks({ ...picture, marks }, drawing).map((each, row) => [
    rejected.has(row) ? seg('x ', 'bad') : seg('  '),
    ...each,
  ]);
}

/** The pixels of a ROI, no larger than that, its greys stretched between the darkest and the brightest hundredth, counts; of one value they are grey. */
export function roiPicture(
  { roi, pixels }: Pick<RoiInspection, 'roi' | 'pixels'>,
  most: { width: number; height: number },
): GreyPicture & { low: number; high: number } {
  const [rows, columns] = roi.size;
  const scale = Math.min(most.width / columns, most.height / rows);
  const width = Math.max(1, Math.floor(columns * scale));
  const height = Math.max(1, Math.floor(rows * scale));
  const sorted = pixels.slice().sort();
  const low = sorted[Math.floor(sorted.length * 0.01)] as number;
  const high = sorted[Math.floor(sorted.length * 0.99)] as number;
  const grey = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.floor((y * rows) / height), Math.max(Math.ceil(((y + 1) * rows) / height), 1)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.floor((x * columns) / width), Math.max(Math.ceil(((x + 1) * columns) / width), 1)];
      let sum = 0;
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++) sum += pixels[row * columns + column] as number;
      const mean = sum / ((bottom - top) * (right - left));
      const part = high > low ? (mean - low) / (high - low) : 0.5;
      grey[y * width + x] = Math.max(0, Math.min(255, Math.round(part * 255)));
    }
  }
  return { width, height, grey, low, high };
}

/** What of the result line is not the same now. */
export function differenceLines(differences: readonly string[], width: number, drawing: Drawing): Line[] {
  if (differences.length === 0) return [line(' the same numbers as in the result line', 'good')];
  return [
    line(' analysed anew, the numbers are others than in the result line:', 'warning'),
    ...differences.flatMap(each => paragraph(`  ${each}`, width, 2, 'warning', drawing)),
  ];
}
