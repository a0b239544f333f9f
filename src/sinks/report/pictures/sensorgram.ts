import type { CustomSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts';
import { gapsBefore } from '../../../model/gaps.ts';
import { gradualColour } from '../../plot/plotColours.ts';
import { trackLines } from '../../plot/trackLines.ts';
import type { PictureData, ReportGroup, ReportRoi } from '../reportData.ts';
import {
  bottomRoom,
  coloursOf,
  commonOption,
  counts,
  cutWords,
  escapedText,
  figure,
  flagWords,
  type Look,
  lineColour,
  listed,
  momentText,
  nearestPlace,
  numberAxis,
  type Picture,
  plotGrid,
  robustRange,
  timeAxis,
  trackSeries,
  warnedWords,
  withUnit,
  zoomOption,
} from './pictureParts.ts';

/** Lines of a tooltip. */
const mostTold = 24;

const mostFirstPicks = 24;

/** ROIs that are drawn as lines of their own when nobody has picked any. */
export const firstPicks = ({ rois }: PictureData): number[] =>
  rois.length <= mostFirstPicks ? rois.map((_, i) => i) : [];

/**
 * Shift against time: of each group the median and the band of the middle 68 %, of each ROI that was picked a line; values with a flag that makes
 * them those of another thing are marks beside the line.
 */
export function sensorgram(data: PictureData, look: Look, picks: readonly number[] = firstPicks(data)): Picture {
  const { times, rois } = data;
  const { ink, soft, flag, paper } = coloursOf(look);
  const gaps = gapsBefore(times, () => data.every);
  // A band of few is their lines.
  const groups = data.groups.filter(({ members }) => members.length > 3 || picks.length === 0);
  const picked = picks.map(pick => rois[pick] as ReportRoi);
  const drawn = [...groups.flatMap(({ low, high }) => [low, high]), ...picked.map(({ shifts }) => shifts)];
  const range = robustRange(drawn);
  const outside = (values: ArrayLike<number>): boolean =>
    Array.prototype.some.call(values, value => value < range.min || value > range.max);
  const beyond = [
    ...groups.filter(({ low, high }) => outside(low) || outside(high)).map(({ name }) => name),
    ...picked.filter(({ shifts }) => outside(shifts)).map(({ label }) => label),
  ];
  const distrustedOutside = picked.filter(({ distrusted }) => outside(distrusted)).map(({ label }) => label);
  // Many are told apart by their order, as a scale.
  const isFew = groups.length + picked.length <= coloursOf(look).lines.length;
  const colourOf = (index: number): string => {
    if (isFew || index < groups.length) return lineColour(look, index);
    const place = (index - groups.length) / Math.max(1, picked.length - 1);
    return gradualColour(look.dark ? 0.35 + 0.65 * place : place);
  };
  const changes = changeMarks(
    data,
    new Set([...groups.map(({ name }) => name), ...picked.map(({ label }) => label)]),
    look,
  );
  const empty = data.groups.filter(({ members }) => members.length === 0).map(({ name }) => name);
  const series: (CustomSeriesOption | LineSeriesOption | ScatterSeriesOption)[] = [
    ...groups.flatMap((group, i) => [
      band(times, group, gaps, colourOf(i)),
      trackSeries(group.name, times, group.median, { gaps, range, color: colourOf(i), width: 2.2 }),
    ]),
    ...picked.flatMap(({ label, shifts, distrusted }, i) => {
      const colour = colourOf(groups.length + i);
      const name = `ROI ${label}`;
      return [
        trackSeries(name, times, shifts, { gaps, range, color: colour, width: 1.3 }),
        {
          type: 'scatter' as const,
          name,
          symbol: 'emptyDiamond',
          symbolSize: 6,
          silent: true,
          itemStyle: { color: colour, borderColor: flag, borderWidth: 1.2 },
          data: [...times].flatMap((time, at) =>
            Number.isNaN(distrusted[at])
              ? []
              : [[time, Math.min(range.max, Math.max(range.min, distrusted[at] as number))]],
          ),
        },
      ];
    }),
    ...changes,
    {
      type: 'line',
      name: 'steps',
      data: [],
      silent: true,
      markLine: {
        symbol: 'none',
        lineStyle: { color: soft, type: 'dashed', width: 1 },
        label: {
          color: ink,
          fontSize: 11,
          rotate: 90,
          position: 'insideEndBottom',
          formatter: '{b}',
          // The curve behind it stays to be seen.
          textBorderColor: paper,
          textBorderWidth: 3,
        },
        data: data.marks.map(({ time, text }) => ({ xAxis: time, name: shortened(text) })),
      },
    },
  ];
  return {
    name: 'sensorgram',
    title: 'Shift against time',
    width: look.width,
    height: 460,
    option: {
      ...commonOption(look),
      ...zoomOption(look, 1),
      grid: { ...plotGrid, top: 46, bottom: bottomRoom(look) },
      legend: {
        type: 'scroll',
        itemGap: 18,
        left: 78,
        width: look.width - 260,
        top: 4,
        textStyle: { color: ink, fontSize: 12 },
        pageTextStyle: { color: ink },
        pageIconColor: ink,
        data: [...groups.map(({ name }) => name), ...picked.map(({ label }) => `ROI ${label}`)],
      },
      tooltip: {
        ...(commonOption(look).tooltip as object),
        trigger: 'axis',
        formatter: (params: unknown) => {
          const at = (Array.isArray(params) ? params[0] : params) as { axisValue?: number };
          return typeof at?.axisValue === 'number' ? told(data, groups, picked, nearestPlace(times, at.axisValue)) : '';
        },
      },
      xAxis: timeAxis(data, look),
      yAxis: numberAxis(look, 'Shift / px', range),
      series,
    },
    notes: [
      ...(groups.length > 0 ? [`Line: median of a group's ROIs in each image; band: the middle 68 % of them.`] : []),
      ...(data.every > 1 ? [`One of every ${counts(data.every)} images is drawn, each as it was measured.`] : []),
      ...cutWords(range, 'px', beyond),
      ...(picked.some(({ distrusted }) => distrusted.some(value => !Number.isNaN(value)))
        ? [
            `Diamonds: values with a flag (${flagWords(data.distrustedBits, data)}); they are in no line, median or band.`,
            ...(distrustedOutside.length > 0
              ? [`Some of these lie outside the scale and stand at its edge (${listed(distrustedOutside)}).`]
              : []),
          ]
        : []),
      ...(changes.length > 0 ? ['Triangles: changes of level, as the table of changes has them.'] : []),
      ...(empty.length > 0 ? [`Groups that no ROI fits: ${listed(empty)}.`] : []),
      ...warnedWords(data),
    ],
  };
}

function band(times: Float64Array, { low, high }: ReportGroup, gaps: Uint8Array, color: string): CustomSeriesOption {
  const [lows, highs] = [trackLines(times, low, gaps), trackLines(times, high, gaps)];
  return {
    type: 'custom',
    silent: true,
    clip: true,
    z: 1,
    encode: { x: -1, y: -1 },
    itemStyle: { color },
    data: lows.map((_, i) => [i]),
    renderItem: (params, api) => {
      const place = (point: readonly [number, number]): number[] => api.coord([point[0], point[1]]).map(tenth);
      const [below, above] = [lows[params.dataIndex] ?? [], highs[params.dataIndex] ?? []];
      return {
        type: 'polygon',
        shape: { points: [...below.map(place), ...above.map(place).reverse()] },
        style: { fill: color, opacity: 0.22 },
      };
    },
  };
}

/** As much as stands beside a line of the picture; the table of the steps has the whole. */
const shortened = (text: string): string => (text.length > mostLetters ? `${text.slice(0, mostLetters - 1)}…` : text);
const mostLetters = 40;

const tenth = (value: number): number => Math.round(value * 10) / 10;

function changeMarks(data: PictureData, names: ReadonlySet<string>, look: Look): ScatterSeriesOption[] {
  const shown = data.changes.filter(({ name }) => names.has(name));
  if (shown.length === 0) return [];
  const { ink } = coloursOf(look);
  return [
    {
      type: 'scatter',
      name: 'changes',
      symbol: 'triangle',
      symbolSize: 9,
      symbolOffset: [0, '-50%'],
      itemStyle: { color: ink, opacity: 0.7 },
      encode: { x: 0, y: 1 },
      data: shown.slice(0, 2000).map(({ name, isGroup, time }) => {
        const at = nearestPlace(data.times, time);
        const curve = isGroup
          ? data.groups.find(group => group.name === name)?.median
          : data.rois.find(({ label }) => label === name)?.shifts;
        return [time, curve?.[at] ?? Number.NaN];
      }),
      tooltip: { show: false },
    },
  ];
}

function told(data: PictureData, groups: readonly ReportGroup[], picked: readonly ReportRoi[], at: number): string {
  const lines = [
    ...groups.map(
      ({ name, median, low, high }) =>
        `${name}: median ${figure(median[at])} px, middle 68 % from ${figure(low[at])} to ${figure(high[at])} px`,
    ),
    ...picked.map(({ label, shifts, sigmas, distrusted, flags }) => {
      const isDistrusted = !Number.isNaN(distrusted[at]);
      const value = isDistrusted ? distrusted[at] : shifts[at];
      const words = Number.isNaN(value) ? 'no value' : withUnit(value, isDistrusted ? null : sigmas[at], 'px');
      const flagged = flagWords(flags[at] as number, data);
      return `ROI ${label}: ${words}${flagged === '' ? '' : ` (${flagged})`}`;
    }),
  ].map(escapedText);
  const more = lines.length > mostTold ? [`and ${lines.length - mostTold} others`] : [];
  return [`<b>${momentText(data.times[at] as number)}</b>`, ...lines.slice(0, mostTold), ...more].join('<br>');
}
