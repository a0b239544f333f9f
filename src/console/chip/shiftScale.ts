import type { Drawing } from '../drawing.ts';
import { type Ink, type InkName, type Line, type Paint, seg } from '../views/line.ts';
import { signed } from '../views/shifts.ts';

/** Steps to each side of no shift. */
const steps = 4;
const signsBelow = 'dcba';
const signsAbove = 'ABCD';

/** A scale that is the same to both sides of 0. */
export interface ShiftScale {
  /** The shift that the outermost colours begin at, pixels. */
  limit: number;
}

/** Share of the ROIs that fits in the scale: a few outliers must not make all others look alike. */
const inScale = 0.95;
/** Noise is not blown up: the scale never ends below this, pixels. */
const minLimit = 0.01;

const roundFactors = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The smallest round limit that nearly all shifts keep to. NaN shifts do not count. */
export const shiftScale = (shifts: Float64Array): ShiftScale => ({ limit: roundLimit(shifts, minLimit) });

/** The same of any values. @param least the limit is never below this */
export function roundLimit(values: Float64Array, least: number): number {
  const sizes = values.filter(Number.isFinite).map(Math.abs).sort();
  const most = Math.max(least, sizes[Math.ceil(sizes.length * inScale) - 1] ?? 0);
  const power = 10 ** Math.floor(Math.log10(most));
  const factor = roundFactors.find(each => each * power >= most * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Which of the nine steps: 0 (shortest) to 8, or null where the shift is not known. */
export function stepOf(shift: number, { limit }: ShiftScale): number | null {
  if (!Number.isFinite(shift)) return null;
  return Math.max(-steps, Math.min(steps, Math.round((shift / limit) * steps))) + steps;
}

export function stepSign(step: number | null, { dot }: Pick<Drawing, 'dot'>): string {
  if (step === null) return '?';
  return `${signsBelow}${dot}${signsAbove}`[step] as string;
}

/** A cell of the map that says it in both colour and sign. */
export const stepPaint = (step: number | null): Paint & { bg: Ink } =>
  step === null
    ? { fg: 'unknownText', bg: 'unknown' }
    : { fg: step === 0 ? 'step0Text' : 'stepText', bg: `step${step}` as InkName };

/** ` d -0.2  c -0.15 … `: what the colours and signs mean, in pixels. */
export function scaleLegend({ limit }: ShiftScale, drawing: Drawing, width: number): Line {
  const whole: Line = Array.from({ length: 2 * steps + 1 }).flatMap((_, step) => [
    seg(` ${stepSign(step, drawing)} `, stepPaint(step)),
    seg(` ${signed(((step - steps) / steps) * limit).trim()} `),
  ]);
  const length = whole.reduce((sum, { text }) => sum + text.length, 0);
  if (length + 1 <= width) return [seg(' '), ...whole];
  // The ends and the middle say enough.
  return [seg(' '), ...whole.filter((_, i) => [0, 1, 4, 8, 9, 12, 16, 17].includes(i))];
}
