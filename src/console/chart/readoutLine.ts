import { localIso } from '../../model/localTime.ts';
import { measured } from '../../model/quantity.ts';
import { jumpBit } from '../../model/result.ts';
import type { RoiHistory } from '../../model/roiHistory.ts';
import type { ConsoleState } from '../consoleState.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, type Line, type Segment, seg } from '../views/line.ts';
import { figured } from '../views/shifts.ts';
import type { ChartData } from './chartData.ts';
import { type ChartTime, type Column, columnAt } from './columns.ts';

/** In fewer columns only what must be said is. */
const narrow = 80;
const day = 24 * 3_600_000;

/** `12:34:56`, as fine as columns of this length tell, with the date where it is not of the last day. */
export function columnText(at: number, columnMs: number, now: number): string {
  const text = localIso(at);
  const time = text.slice(11, columnMs < 1_000 ? 21 : columnMs < 60_000 ? 19 : 16);
  return Math.abs(now - at) < day ? time : `${text.slice(5, 10)} ${time}`;
}

/** Since when shifts count, where that is not from the reference: beside the title of all that shows shifts. */
export const sinceZero = ({
  chart: { zero },
  now,
  drawing,
}: Pick<ConsoleState, 'chart' | 'now' | 'drawing'>): Segment[] =>
  zero ? [seg(`since ${columnText(zero.at, 1_000, now)}`, 'warning'), seg(` ${drawing.dot} `, 'dim')] : [];

/** A jump, and of how many ROIs: one alone may be a fault, and all together are a step of the liquid or of the chip. */
function jumpWords({ samples }: RoiHistory, { first, last }: Column, jump: number): string {
  let [most, of] = [0, 1];
  for (const { at, flags } of samples) {
    if (at < first || at > last) continue;
    const jumped = flags.reduce((count, bits) => count + ((bits & jump) !== 0 ? 1 : 0), 0);
    if (jumped >= most) [most, of] = [jumped, flags.length];
  }
  if (of === 1) return 'jump since the frame before';
  return most > of / 2
    ? `jump of ${most} of ${of} ROIs at once: a step of liquid or chip, no fault`
    : `jump since the frame before (${most} of ${of} ROIs)`;
}

/** What stands at the cursor, or where there is none, last: time, ROI, shift ± σ, range, frames, flags. */
export function readoutLine(
  { chart: { cursor, focus }, now, drawing }: ConsoleState,
  history: RoiHistory,
  { shifts }: ChartData,
  time: ChartTime,
  width: number,
): Line {
  const { flagNames } = history;
  const curve = shifts.find(({ name }) => name === focus) ?? shifts.at(-1)!;
  const index = cursor === null ? curve.columns.findLastIndex(column => column !== null) : columnAt(time, cursor);
  const column = curve.columns[index] ?? null;
  const begin = [
    seg(cursor === null ? ' last ' : ' at ', 'dim'),
    seg(columnText(column?.first ?? time.low + index * time.columnMs, time.columnMs, now), 'accent'),
    seg(` ${curve.letter} `, { fg: curve.colour }),
    // The legend has the name.
    seg(width < narrow ? '' : `${cleanText(curve.name, drawing)} `),
  ];
  if (!column) return clip([...begin, seg('no frame', 'warning')], width, drawing);
  const { frames, low, median, high, flags, uncertainty } = column;
  const count = Math.round(frames);
  const isKnown = Number.isFinite(uncertainty);
  const asked = (value: number): string => (isKnown ? measured(value, uncertainty, true)[0] : figured(value).trim());
  const sigma = isKnown ? ` ${drawing.unicode ? '±' : '+-'} ${measured(median, uncertainty)[1]}` : '';
  const range = count > 1 ? `, ${asked(low)} to ${asked(high)}` : '';
  const jump = jumpBit(flagNames);
  const faults = flagNames.filter((_, bit) => flags & ~jump & (1 << bit)).map(name => name.replaceAll('_', ' '));
  const named = [...faults, ...((flags & jump) !== 0 ? [jumpWords(history, column, jump)] : [])];
  return clip(
    [
      ...begin,
      seg(`${asked(median)}${sigma} px`, 'strong'),
      seg(`${range} ${drawing.dot} ${count <= 1 ? '1 frame' : `${width < narrow ? '' : 'median of '}${count} frames`}`),
      ...(named.length > 0 ? [seg(` ${drawing.dot} ${named.join(', ')}`, 'warning')] : []),
      ...(curve.hasShift ? [] : [seg(` ${drawing.dot} no shift: position`, 'warning')]),
    ],
    width,
    drawing,
  );
}
