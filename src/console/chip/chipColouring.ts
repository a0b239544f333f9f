import { measured } from '../../model/quantity.ts';
import type { Drawing } from '../drawing.ts';
import type { ChipQuantity, RoiRow } from '../rois/roisPage.ts';
import { chiText, sigmaText } from '../rois/roiTable.ts';
import { type Ink, type InkName, type Line, lineWidth, type Paint, seg } from '../views/line.ts';
import { figured } from '../views/shifts.ts';
import { roundLimit, scaleLegend, shiftScale, stepOf, stepPaint, stepSign } from './shiftScale.ts';

/** How one ROI is drawn. */
export interface ChipLook {
  sign: string;
  paint: Paint & { bg: Ink };
  /** Its number, where there is room for it. */
  text: string;
  /** Of ROIs that share a place the one of the greatest is seen. */
  weight: number;
}

/** What the colours of the chip say. */
export interface ChipColouring {
  title: string;
  /** What stands behind its numbers. */
  unit: string;
  look: (row: RoiRow) => ChipLook;
  /** NaN: not known. */
  value: (row: RoiRow) => number;
  legend: (width: number) => Line;
}

/** Of what is never below nought: five steps, from white to orange. */
const stepsUp = 4;
const signsUp = '.ABCD';
const unknown = { sign: '?', paint: { fg: 'unknownText', bg: 'unknown' } as const, text: '?', weight: -1 };
const upPaint = (step: number): Paint & { bg: Ink } => ({ fg: 'stepText', bg: `step${4 + step}` as InkName });

/** The scales fit nearly all of these ROIs. */
export function chipColouring(quantity: ChipQuantity, rows: readonly RoiRow[], drawing: Drawing): ChipColouring {
  switch (quantity) {
    case 'shift': {
      const scale = shiftScale(Float64Array.from(rows, ({ shift }) => shift));
      return {
        title: 'shift of each ROI',
        unit: ' px',
        value: ({ shift }) => shift,
        look: ({ shift, sigma }) => {
          const step = stepOf(shift, scale);
          const weight = Number.isNaN(shift) ? -1 : Math.abs(shift);
          return { sign: stepSign(step, drawing), paint: stepPaint(step), text: shortText(shift, sigma), weight };
        },
        legend: width => scaleLegend(scale, drawing, width),
      };
    }
    case 'sigma':
      return upwards(
        drawing.unicode ? 'shift σ of each grating' : 'shift error of each grating',
        ' px',
        ({ sigma }) => sigma,
        sigmaText,
        0.0004,
        rows,
        drawing,
      );
    case 'chi':
      return upwards(
        drawing.unicode ? 'χ² of each grating' : 'chi2 of each grating',
        '',
        ({ chi }) => chi,
        chiText,
        2,
        rows,
        drawing,
      );
    case 'flags':
      return byFlags(drawing);
  }
}

function upwards(
  title: string,
  unit: string,
  value: (row: RoiRow) => number,
  textOf: (value: number) => string,
  least: number,
  rows: readonly RoiRow[],
  drawing: Drawing,
): ChipColouring {
  const limit = roundLimit(Float64Array.from(rows, value), least);
  return {
    title,
    unit,
    value,
    look: row => {
      const of = value(row);
      if (!Number.isFinite(of)) return unknown;
      const step = Math.max(0, Math.min(stepsUp, Math.round((of / limit) * stepsUp)));
      return { sign: signOf(step, drawing), paint: upPaint(step), text: textOf(of), weight: of };
    },
    legend: width => {
      const items: Line[] = Array.from({ length: stepsUp + 1 }, (_, step) => [
        seg(` ${signOf(step, drawing)} `, upPaint(step)),
        seg(` ${Number(((step / stepsUp) * limit).toPrecision(3))}${step === stepsUp ? ' and more' : ''} `),
      ]);
      const whole = [seg(' '), ...items.flat()];
      return lineWidth(whole) <= width ? whole : [seg(' '), ...items[0]!, ...items[stepsUp]!];
    },
  };
}

const signOf = (step: number, { dot }: Pick<Drawing, 'dot'>): string => (step === 0 ? dot : (signsUp[step] as string));

const flagLooks = {
  none: { sign: '', step: 0, words: 'no flag' },
  some: { sign: 'f', step: 2, words: 'flagged' },
  lost: { sign: 'L', step: 4, words: 'lost' },
} as const;

function byFlags(drawing: Drawing): ChipColouring {
  const lookOf = ({ flags }: RoiRow) => flagLooks[flags.includes('lost') ? 'lost' : flags.length > 0 ? 'some' : 'none'];
  const sign = (of: (typeof flagLooks)[keyof typeof flagLooks]): string => of.sign || drawing.dot;
  return {
    title: 'flags of each grating',
    unit: '',
    value: ({ flags }) => flags.length,
    look: row => {
      const of = lookOf(row);
      return { sign: sign(of), paint: upPaint(of.step), text: row.flags[0] ?? '', weight: of.step };
    },
    legend: () => [
      seg(' '),
      ...Object.values(flagLooks).flatMap(of => [seg(` ${sign(of)} `, upPaint(of.step)), seg(` ${of.words} `)]),
    ],
  };
}

/** With its sign, to three figures at most, and no more decimals than its error asks for. */
function shortText(shift: number, sigma: number): string {
  if (!Number.isFinite(shift)) return '?';
  const [figures, asked] = [figured(shift).trim(), measured(shift, sigma, true)[0]];
  return asked.length < figures.length ? asked : figures;
}
