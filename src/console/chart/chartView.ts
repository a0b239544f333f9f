import type { ConsoleState } from '../consoleState.ts';
import type { Rect } from '../layout.ts';
import { axes } from '../views/axes.ts';
import { cleanText } from '../views/cleanText.ts';
import { curveOf, type PanelContent, type Plot, rangeOf, type Series } from '../views/curves.ts';
import { clip, type Line, lineWidth, seg, titleRule } from '../views/line.ts';
import type { PanelView } from '../views/panelView.ts';
import { signed } from '../views/shifts.ts';
import { type ChartData, chartData } from './chartData.ts';
import { zooms } from './chartState.ts';

/** Columns for the numbers at the left, with the axis; and for letters at the right end of the curves. */
const gutter = 9;
const margin = 2;
/** Below so many rows the temperature has no plot of its own. */
const rowsForTwoPlots = 13;
/** Smallest spans of the axes: noise below them is not blown up to a drama. Pixels, degrees. */
const minShift = 0.002;
const minWarmth = 0.2;

const zoomTitles = ['10 min', '1 h', '6 h', '24 h', 'all'];

export const chartPanel: PanelView = {
  depends: ({ history, chart }) => [history, chart],
  content: chartView,
};

/** The live chart: shifts from each ROI's own baseline against time, the temperature below, and what the curves are. */
function chartView(state: ConsoleState, { width, height }: Rect): PanelContent {
  const { history, drawing } = state;
  const { picked, zoom } = state.chart;
  const note: Line = [seg(zooms[zoom] === null ? 'all' : `last ${zoomTitles[zoom]}`, 'accent')];
  const title = titleRule('Resonance shift, px', width, drawing, note);
  if (!history || history.samples.length === 0) {
    return { lines: [title, [seg(' no result yet', 'dim')]].slice(0, height), plots: [] };
  }
  const data = chartData(history, picked, zooms[zoom] ?? null);
  const legend = legendLines(data, width, height >= 12 ? 2 : 1, state);
  const rows = height - 1 - legend.length;
  const lower = data.warmth.length > 0 && rows >= rowsForTwoPlots ? Math.max(4, Math.floor(rows * 0.28)) : 0;
  const upper = panel(
    data.shifts,
    data,
    { left: 0, top: 1, width, height: rows - lower },
    minShift,
    lower === 0,
    state,
  );
  const warm =
    lower > 0
      ? panel(data.warmth, data, { left: 0, top: 1 + rows - lower, width, height: lower }, minWarmth, true, state)
      : null;
  const lines = [title, ...upper.lines, ...(warm?.lines ?? []), ...legend].slice(0, height);
  return { lines, plots: [...upper.plots, ...(warm?.plots ?? [])] };
}

/** Axes with their numbers, and the curves between them. */
function panel(
  series: readonly Series[],
  { time, gapMs }: ChartData,
  { top, width, height }: Rect,
  least: number,
  withTimes: boolean,
  { drawing }: ConsoleState,
): PanelContent {
  const rect: Rect = {
    left: gutter,
    top,
    width: width - gutter - margin,
    height: Math.max(1, height - (withTimes ? 2 : 0)),
  };
  const range = rangeOf(series, least);
  if (!range)
    return {
      lines: Array.from({ length: height }, (_, i) =>
        i === 0 ? [seg(' nothing to show: press r to choose ROIs', 'dim')] : [],
      ),
      plots: [],
    };
  const curves = series.map(each => curveOf(each, time, range, rect.width, rect.height, gapMs));
  const plot: Plot = { rect, curves };
  return {
    lines: axes({ plot, time, range, gutter, withTimes, drawing }).slice(0, height),
    plots: drawing.unicode ? [plot] : [],
  };
}

/** `a A1_N +0.0123`, as many as fit. */
function legendLines(
  { names, warmthNames }: ChartData,
  width: number,
  most: number,
  { drawing }: ConsoleState,
): Line[] {
  const lines: Line[] = [];
  let line: Line = [];
  const items = [
    ...names.map(each => ({ ...each, text: signed(each.last) })),
    ...warmthNames.map(each => ({ ...each, text: `${each.last.toFixed(2)} C` })),
  ];
  for (const { letter, name, colour, text } of items) {
    const item: Line = [
      seg(` ${letter} `, { fg: colour }),
      seg(`${cleanText(name, drawing)} `),
      seg(`${text} `, 'strong'),
    ];
    if (lineWidth(line) + lineWidth(item) > width && line.length > 0) {
      lines.push(line);
      line = [];
    }
    line = [...line, ...item];
  }
  if (line.length > 0) lines.push(line);
  return lines.slice(0, most).map(each => clip(each, width, drawing));
}
