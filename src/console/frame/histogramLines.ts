import type { FrameHistogram } from '../../model/framePicture.ts';
import { number } from '../../model/quantity.ts';
import type { Drawing } from '../drawing.ts';
import { exactly, type Line, seg, spread } from '../views/line.ts';

/** How often each brightness occurs, as bars on a logarithmic scale, with an axis below; what is saturated stands out at the right end. */
export function histogramLines(
  { bins, top, saturation }: FrameHistogram,
  width: number,
  rows: number,
  drawing: Drawing,
): Line[] {
  const columns = Math.min(width - 2, bins.length);
  const amounts = Array.from({ length: columns }, (_, i) => {
    const from = Math.floor((i * bins.length) / columns);
    const to = Math.max(from + 1, Math.floor(((i + 1) * bins.length) / columns));
    return bins.slice(from, to).reduce((sum, amount) => sum + amount, 0);
  });
  const most = Math.log1p(Math.max(1, ...amounts));
  const steps = drawing.levels.length - 1;
  const bars = rows - 1;
  const heights = amounts.map(amount =>
    amount === 0 ? 0 : Math.max(1, Math.round((Math.log1p(amount) / most) * bars * steps)),
  );
  const lines: Line[] = Array.from({ length: bars }, (_, row) => {
    const below = (bars - 1 - row) * steps;
    const text = heights.map(height => drawing.levels[Math.max(0, Math.min(steps, height - below))]).join('');
    const full = saturation !== null && columns > 1;
    return [seg(' '), seg(full ? text.slice(0, -1) : text, 'dim'), ...(full ? [seg(text.slice(-1), 'bad')] : [])];
  });
  const legend = `0${' '.repeat(Math.max(1, Math.floor(columns / 2) - 15))}counts; bars are logarithmic`;
  const end = `${number(top)}${saturation === null ? '' : ' full'}`;
  return [
    ...lines,
    [
      seg(' '),
      ...exactly(
        spread([seg(legend, 'dim')], [seg(end, saturation === null ? 'dim' : 'bad')], columns, drawing),
        columns,
        drawing,
      ),
    ],
  ];
}
