import type { LineSeriesOption } from 'echarts';
import { gapsBefore } from '../../../model/gaps.ts';
import type { PictureData } from '../reportData.ts';
import {
  bottomRoom,
  coloursOf,
  commonOption,
  counts,
  cutWords,
  escapedText,
  figure,
  type Look,
  lineColour,
  momentText,
  nearestPlace,
  numberAxis,
  type Picture,
  plotGrid,
  robustRange,
  shareRange,
  timeAxis,
  trackSeries,
  zoomOption,
} from './pictureParts.ts';

const panelHeight = 150;
const panelGap = 26;

interface Panel {
  name: string;
  unit: string;
  tracks: readonly { name: string; values: Float32Array }[];
  range: { min: number; max: number; step: number };
  notes: readonly string[];
}

/** Brightness, saturation and temperature against time. */
export function exposure(data: PictureData, look: Look): Picture {
  const { times } = data;
  const isKnown = (values: Float32Array): boolean => values.some(value => !Number.isNaN(value));
  const panel = (name: string, unit: string, tracks: Panel['tracks']): Panel[] => {
    const known = tracks.filter(({ values }) => isKnown(values));
    if (known.length === 0) return [];
    const lists = known.map(({ values }) => values);
    const range = robustRange(lists, 0.005, 4);
    const beyond = known.filter(({ values }) => values.some(value => value < range.min || value > range.max));
    const notes = cutWords(
      range,
      unit,
      beyond.map(track => track.name),
    );
    return [{ name, unit, tracks: known, range, notes }];
  };
  const panels = [
    ...panel('Brightness', 'counts', [{ name: 'mean of the frame', values: data.brightness }]),
    ...panel('Saturated', '% of ROIs', [{ name: 'ROIs with saturated pixels', values: data.saturated }]).map(each => ({
      ...each,
      range: shareRange(data.saturated.reduce((most, share) => Math.max(most, share), 0)),
      notes: [],
    })),
    ...panel('Temperature', '°C', data.sensors),
  ];
  const gaps = gapsBefore(times, () => data.every);
  const { ink } = coloursOf(look);
  const hasBrightness = isKnown(data.brightness);
  return {
    name: 'exposure',
    title: 'Exposure and temperature against time',
    width: look.width,
    height: 40 + panels.length * (panelHeight + panelGap) + bottomRoom(look),
    option: {
      ...commonOption(look),
      ...zoomOption(look, panels.length),
      legend: {
        top: 4,
        left: 78,
        itemGap: 18,
        width: look.width - 260,
        type: 'scroll',
        textStyle: { color: ink, fontSize: 12 },
      },
      axisPointer: { link: [{ xAxisIndex: 'all' }] },
      tooltip: {
        ...(commonOption(look).tooltip as object),
        trigger: 'axis',
        formatter: (params: unknown) => {
          const first = (Array.isArray(params) ? params[0] : params) as { axisValue?: number };
          if (typeof first?.axisValue !== 'number') return '';
          const at = nearestPlace(times, first.axisValue);
          const lines = panels.flatMap(({ unit, tracks }) =>
            tracks.map(({ name, values }) => escapedText(`${name}: ${figure(values[at])} ${unit}`)),
          );
          return [`<b>${momentText(times[at] as number)}</b>`, ...lines].join('<br>');
        },
      },
      grid: panels.map((_, i) => ({
        ...plotGrid,
        top: 40 + i * (panelHeight + panelGap),
        height: panelHeight,
      })),
      xAxis: panels.map((_, i) => {
        const isLowest = i === panels.length - 1;
        const axis = timeAxis(data, look, isLowest ? undefined : '');
        return { ...axis, gridIndex: i, axisLabel: { ...axis.axisLabel, show: isLowest } } as typeof axis;
      }),
      yAxis: panels.map(({ name, unit, range }, i) => ({
        ...numberAxis(look, `${name} / ${unit}`, range),
        gridIndex: i,
      })),
      series: panels.flatMap(({ tracks, range }, i) =>
        tracks.map(
          ({ name, values }, k): LineSeriesOption => ({
            ...trackSeries(name, times, values, { gaps, range, color: lineColour(look, i + k), width: 1.3 }),
            xAxisIndex: i,
            yAxisIndex: i,
          }),
        ),
      ),
    },
    notes: [
      ...(data.every > 1 ? [`One of every ${counts(data.every)} images is drawn.`] : []),
      ...(hasBrightness
        ? []
        : ['The brightness of these images is not in the series: an earlier version has written it.']),
      ...panels.flatMap(({ notes }) => notes),
    ],
  };
}

/** How long it took from each image to the next; null for fewer than two. */
export function intervalPicture(data: PictureData, look: Look): Picture | null {
  const { intervals } = data;
  if (intervals === null) return null;
  const { from, width, counts: bins, median, longest, beyond, total } = intervals;
  const { ink, faint } = coloursOf(look);
  const most = bins.reduce((a, b) => Math.max(a, b), 1);
  const fill = lineColour(look, 0);
  const end = from + width * bins.length;
  return {
    name: 'intervals',
    title: 'Intervals between images',
    width: look.width,
    height: 320,
    option: {
      ...commonOption(look),
      grid: { ...plotGrid, top: 20, bottom: 60 },
      tooltip: {
        ...(commonOption(look).tooltip as object),
        trigger: 'item',
        formatter: (params: unknown) => {
          const [low, high, count] = (params as { data: [number, number, number] }).data;
          return `${figure(low)} to ${figure(high)} s: ${counts(count)} intervals`;
        },
      },
      xAxis: {
        ...numberAxis(look, 'Interval / s', { min: from, max: end }),
        type: 'value',
        position: 'bottom',
        nameGap: 34,
        axisLabel: { color: ink, fontSize: 12, showMinLabel: false, showMaxLabel: false },
      },
      yAxis: {
        type: 'log',
        min: 0.5,
        max: 10 ** Math.ceil(Math.log10(most) + 0.1),
        name: 'Intervals (logarithmic)',
        nameLocation: 'middle',
        nameGap: 58,
        nameTextStyle: { color: ink, fontSize: 13 },
        axisLine: { show: true, lineStyle: { color: ink } },
        axisLabel: { color: ink, fontSize: 12, formatter: (value: number) => (value < 1 ? '' : counts(value)) },
        splitLine: { lineStyle: { color: faint } },
      },
      series: [
        {
          type: 'custom',
          clip: true,
          encode: { x: [0, 1], y: 2 },
          data: bins.flatMap((count, i) => (count === 0 ? [] : [[from + i * width, from + (i + 1) * width, count]])),
          renderItem: (_params, api) => {
            const [left, top] = api.coord([api.value(0), api.value(2)]) as [number, number];
            const [right, bottom] = api.coord([api.value(1), 0.5]) as [number, number];
            return {
              type: 'rect',
              shape: { x: left + 0.5, y: top, width: Math.max(1, right - left - 1), height: bottom - top },
              style: { fill },
            };
          },
        },
      ],
    },
    notes: [
      `${counts(total)} intervals, median ${figure(median)} s, longest ${longest < 1000 ? figure(longest) : counts(Math.round(longest))} s.`,
      ...(beyond > 0
        ? [`The scale, from ${figure(from)} to ${figure(end)} s, leaves out ${counts(beyond)} of them.`]
        : []),
    ],
  };
}
