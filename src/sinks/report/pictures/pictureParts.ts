import type { EChartsOption, LineSeriesOption, XAXisComponentOption } from 'echarts';
import { withError } from '../../../model/quantity.ts';
import { valueAxis } from '../../plot/plotAxes.ts';
import { quantile } from '../../plot/shiftSummary.ts';
import { trackLines } from '../../plot/trackLines.ts';
import type { PictureData } from '../reportData.ts';

/** How and for whom a picture is drawn. */
export interface Look {
  dark: boolean;
  font: string;
  /** px */
  width: number;
  /** A page: it zooms, and tells values under the pointer. */
  interactive: boolean;
}

export interface Picture {
  /** Of its files, without their ends. */
  name: string;
  title: string;
  /** px */
  width: number;
  height: number;
  option: EChartsOption;
  /** What one must know to read it. */
  notes: readonly string[];
}

export interface Colours {
  paper: string;
  ink: string;
  soft: string;
  faint: string;
  flag: string;
  lines: readonly string[];
}

const lightColours: Colours = {
  paper: '#FFFFFF',
  ink: '#222222',
  soft: '#5A5A5A',
  faint: '#E4E4E4',
  flag: '#C23B00',
  lines: ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#8A6D00', '#56B4E9', '#000000'],
};
const darkColours: Colours = {
  paper: '#14171B',
  ink: '#E3E7EC',
  soft: '#A4ADB8',
  faint: '#2D343C',
  flag: '#FF8A4C',
  lines: ['#56B4E9', '#E69F00', '#2CC295', '#E58CC0', '#F0E442', '#FF8A5B', '#FFFFFF'],
};

export const coloursOf = ({ dark }: Look): Colours => (dark ? darkColours : lightColours);

export const lineColour = (look: Look, index: number): string => {
  const { lines } = coloursOf(look);
  return lines[index % lines.length] as string;
};

/** What all pictures have in common. */
export function commonOption(look: Look): EChartsOption {
  const { ink, paper, faint } = coloursOf(look);
  return {
    animation: false,
    useUTC: true,
    backgroundColor: paper,
    textStyle: { fontFamily: look.font, color: ink },
    tooltip: {
      show: look.interactive,
      confine: true,
      backgroundColor: paper,
      borderColor: faint,
      textStyle: { color: ink, fontSize: 12 },
    },
  };
}

/** Text of others, in HTML. */
export const escapedText = (text: string): string => text.replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);

/** To so many figures, without an exponent where that is short; a minus that is one. */
export function figure(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '';
  const size = Math.abs(value);
  const text =
    size !== 0 && (size >= 1e6 || size < 1e-4)
      ? value.toExponential(digits - 1)
      : String(Number(value.toPrecision(digits)));
  return text.replace('-', '−');
}

/** `0.194 ± 0.010 px`. */
export function withUnit(value: number | null | undefined, sigma: number | null | undefined, unit: string): string {
  const isKnown = typeof value === 'number' && typeof sigma === 'number' && Number.isFinite(sigma) && sigma > 0;
  return `${isKnown ? withError(value, sigma).replaceAll('-', '−') : figure(value)} ${unit}`;
}

/** `2026-01-03 14:05:10`. */
export const momentText = (time: number): string => new Date(time).toISOString().slice(0, 19).replace('T', ' ');

export const timeName = ({ zone }: Pick<PictureData, 'zone'>): string =>
  zone === '' ? 'Time as recorded' : `Time as recorded (${zone})`;

export function timeAxis(data: PictureData, look: Look, name = timeName(data)): XAXisComponentOption {
  const { ink, faint } = coloursOf(look);
  const [first, last] = [data.times[0] ?? 0, data.times.at(-1) ?? 1];
  const margin = first === last ? 1000 : (last - first) * 0.01;
  return {
    type: 'time',
    min: first - margin,
    max: last + margin,
    name,
    nameLocation: 'middle',
    nameGap: 40,
    nameTextStyle: { color: ink, fontSize: 13 },
    axisLine: { onZero: false, lineStyle: { color: ink } },
    axisLabel: {
      color: ink,
      fontSize: 12,
      hideOverlap: true,
      formatter: {
        year: '{d} {MMM} {yyyy}',
        month: '{d} {MMM}',
        day: '{d} {MMM}',
        hour: '{HH}:{mm}',
        minute: '{HH}:{mm}',
        second: '{HH}:{mm}:{ss}',
        millisecond: '{mm}:{ss}.{SSS}',
      },
    },
    splitLine: { show: true, lineStyle: { color: faint } },
  };
}

export function numberAxis(
  look: Look,
  name: string,
  { min, max, step }: Pick<RobustRange, 'min' | 'max'> & { step?: number },
) {
  const { ink, faint } = coloursOf(look);
  return {
    type: 'value' as const,
    min,
    max,
    // Where one zooms, ticks come with the zoom.
    ...(step === undefined
      ? {}
      : look.interactive
        ? { splitNumber: Math.round((max - min) / step) }
        : { interval: step }),
    name,
    nameLocation: 'middle' as const,
    nameGap: 58,
    nameTextStyle: { color: ink, fontSize: 13 },
    axisLine: { show: true, onZero: false, lineStyle: { color: ink } },
    axisLabel: { color: ink, fontSize: 12, formatter: tickText },
    splitLine: { show: true, lineStyle: { color: faint } },
  };
}

const tickText = (value: number): string =>
  (value || 0).toLocaleString('en-GB', { maximumSignificantDigits: 6 }).replace('-', '−');

/** A range that few far values do not stretch. */
export interface RobustRange {
  min: number;
  max: number;
  /** From tick to tick. */
  step: number;
  /** Values in it, and outside. */
  total: number;
  cut: number;
}

/**
 * From a little below the low quantile to a little above the high one, in round numbers; whole where that is not much more.
 * @param leaveOut this share of the values at either end may lie outside
 */
export function robustRange(lists: readonly ArrayLike<number>[], leaveOut = 0.005, ticks = 7): RobustRange {
  const all = Float64Array.from(lists.flatMap(list => Array.from(list).filter(value => Number.isFinite(value)))).sort();
  if (all.length === 0) return { min: 0, max: 1, step: 0.2, total: 0, cut: 0 };
  const [low, high] = [quantile(all, leaveOut), quantile(all, 1 - leaveOut)];
  const [least, most] = [all[0] as number, all.at(-1) as number];
  const [from, to] = most - least <= 1.5 * (high - low) ? [least, most] : [low, high];
  const axis = valueAxis(from, to, ticks);
  const { step } = axis;
  // What lies on a tick is the end; what hardly changes lies in the middle.
  const isFlat = to - from < step / 10;
  const range = {
    step,
    min: Number((Math.floor((isFlat ? axis.min : from) / step) * step).toPrecision(12)),
    max: Number((Math.ceil((isFlat ? axis.max : to) / step) * step).toPrecision(12)),
  };
  const cut = all.reduce((count, value) => count + (value < range.min || value > range.max ? 1 : 0), 0);
  return { ...range, total: all.length, cut };
}

/** What a scale leaves out, in words; empty where it has all. */
export function cutWords(
  { min, max, cut, total }: Omit<RobustRange, 'step'>,
  unit: string,
  names: readonly string[],
): string[] {
  if (cut === 0) return [];
  return [
    `The scale runs from ${figure(min)} to ${figure(max)} ${unit} and leaves out ${counts(cut)} of ${counts(total)} values (${listed(names)}).`,
  ];
}

export const counts = (value: number): string => value.toLocaleString('en-GB');

export const roiCount = (count: number): string => `${counts(count)} ROI${count === 1 ? '' : 's'}`;

/** The first few of some names. */
export const listed = (names: readonly string[], most = 8): string =>
  names.length > most ? `${names.slice(0, most).join(', ')} and ${names.length - most} others` : names.join(', ');

/** ROIs that are to be distrusted, and frames of which no ROI is, in words. @param more of these ROIs */
export function warnedWords({ rois, badFrames }: Pick<PictureData, 'rois' | 'badFrames'>, more = ''): string[] {
  const warned = rois.filter(({ warning }) => warning !== null).map(({ label }) => label);
  const which = warned.length === rois.length ? 'all ' : `${warned.length} of `;
  const few =
    warned.length <= 2
      ? rois.flatMap(({ label, warning }) => (warning === null ? [] : [`${label}: ${warning}`]))
      : warned;
  const names = warned.length === rois.length ? '' : ` (${listed(few)})`;
  const { count, of, flags } = badFrames;
  return [
    ...(warned.length > 0 ? [`Flagged: ${which}${roiCount(rois.length)}${names}.${more}`] : []),
    ...(count > 0
      ? [
          `In ${counts(count)} of ${counts(of)} images more than half of the ROIs have a flag (${flags.join(', ')}): these images mark no ROI.`,
        ]
      : []),
  ];
}

/** Flags by their names. */
export const flagWords = (bits: number, { flagNames }: Pick<PictureData, 'flagNames'>): string =>
  flagNames.filter((_, bit) => ((bits >> bit) & 1) === 1).join(', ');

/** The place of the time that is nearest. */
export function nearestPlace(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  const before = Math.max(0, low - 1);
  return time - (times[before] as number) < (times[low] as number) - time ? before : low;
}

/** Tools of a page's pictures that have time below. */
export function zoomOption(look: Look, axes: number): EChartsOption {
  if (!look.interactive) return {};
  const { ink, soft, faint } = coloursOf(look);
  const xAxisIndex = Array.from({ length: axes }, (_, i) => i);
  return {
    dataZoom: [
      { type: 'inside', xAxisIndex, filterMode: 'none' },
      {
        type: 'slider',
        xAxisIndex,
        filterMode: 'none',
        bottom: 6,
        height: 22,
        showDataShadow: false,
        textStyle: { color: ink },
        borderColor: faint,
        labelFormatter: (value: number) => momentText(value),
      },
    ],
    toolbox: {
      right: 8,
      top: 0,
      iconStyle: { borderColor: soft },
      feature: {
        dataZoom: { filterMode: 'none', title: { zoom: 'zoom into a rectangle', back: 'back' } },
        restore: { title: 'whole picture' },
      },
    },
  };
}

/** From 0 to a share of all, in % that can be read. */
export function shareRange(most: number): { min: number; max: number; step: number } {
  const max = [1, 2, 5, 10, 20, 50, 100].find(each => each >= most) ?? 100;
  return { min: 0, max, step: max / 2 };
}

const fewPoints = 40;
/** A line leaves the picture for a value that is so many pictures above or below, and no further: what draws it takes no place beyond all measure. */
const outside = 20;

interface TrackLook {
  gaps: Uint8Array;
  color: string;
  /** px */
  width: number;
  /** Of the axis. */
  range: Pick<RobustRange, 'min' | 'max'>;
}

/** Values against time as a line, which breaks where there are none. Of few all points are seen; of many those without neighbours, which would be nothing. */
export function trackSeries(
  name: string,
  times: Float64Array,
  values: ArrayLike<number>,
  { gaps, color, width, range: { min, max } }: TrackLook,
): LineSeriesOption {
  const furthest = outside * (max - min);
  const stretches = trackLines(times, values, gaps);
  const isFew = times.length <= fewPoints;
  const alone = new Set<unknown>(stretches.flatMap(stretch => (stretch.length === 1 ? [stretch[0]![0]] : [])));
  return {
    type: 'line',
    name,
    z: 3,
    symbol: 'circle',
    symbolSize: (value: unknown) => (isFew || alone.has((value as [number])[0]) ? 4 : 0),
    showSymbol: isFew || alone.size > 0,
    showAllSymbol: false,
    sampling: undefined as never,
    connectNulls: false,
    lineStyle: { width, color },
    itemStyle: { color },
    emphasis: { disabled: true },
    data: stretches.flatMap(stretch => [
      ...stretch.map(([time, value]) => [time, Math.min(max + furthest, Math.max(min - furthest, value))]),
      [stretch.at(-1)![0], null] as unknown as [number, number],
    ]),
  };
}

/** Room for axes: labels are as wide as they are, and panels stand one below the other. */
export const plotGrid = { left: 84, right: 24, outerBoundsMode: 'none' as const };

/** Room below a picture's axes. */
export const bottomRoom = ({ interactive }: Look): number => (interactive ? 92 : 60);
