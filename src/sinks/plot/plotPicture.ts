import type { CustomSeriesOption, EChartsOption, GraphicComponentOption } from 'echarts';
import { gapsBefore } from '../../model/gaps.ts';
import { counted } from '../../model/quantity.ts';
import { oneLine, shortened } from '../../model/shownText.ts';
import { timeTicks, type ValueAxis, valueAxis } from './plotAxes.ts';
import { gradualColour, maxDistinct, trackColour } from './plotColours.ts';
import type { PlotData, PlotTrack } from './plotData.ts';
import { quantile, shiftSummary } from './shiftSummary.ts';
import { type Stretch, trackLines } from './trackLines.ts';

export interface PictureSize {
  /** Pixels before the zoom. */
  width: number;
  height: number;
}

const font = 'DejaVu Sans';
const ink = '#222222';
const faint = '#E4E4E4';
const left = 92;
const right = 176;
const top = 84;
const bottom = 78;
const between = 30;
/** Up to so many ROIs each has its name in the legend. */
const maxNamed = 24;
/** Up to so many points each is marked. */
const maxMarked = 40;

/** A line in a panel, in data coordinates. */
interface Stroke {
  stretches: Stretch[];
  colour: string;
  width: number;
  opacity: number;
  /** Radius of a mark on each point; a point without neighbours always has one. */
  mark: number;
}

interface Panel {
  title: string;
  share: number;
  axis: ValueAxis;
  strokes: Stroke[];
  legend: (x: number, y: number, height: number) => GraphicComponentOption[];
}

/**
 * The plot as an echarts option: positions of the ROIs above, their shifts from where they began below that when there is
 * more than one, temperature at the bottom when there is any. Pure; all text is in DejaVu Sans.
 *
 * Few ROIs have colours and names of their own. Many are coloured by their order on the chip, with a scale beside; what they do
 * together is then the median and the middle 68 % of the shifts.
 */
export function plotPicture(data: PlotData, title: string, { width, height }: PictureSize): EChartsOption {
  const rois = data.rois.filter(hasValues);
  const sensors = data.sensors.filter(hasValues);
  const gaps = gapsBefore(data.times, point => data.images[point]!);
  const panels = [positionPanel(data, rois, gaps)];
  if (rois.length > 1) panels.push(shiftPanel(data, rois, gaps));
  if (sensors.length > 0) panels.push(temperaturePanel(data, sensors, gaps));

  const [first, last] = data.frames > 0 ? [data.first, data.last] : [0, 0];
  const margin = Math.max((last - first) * 0.015, 1);
  const [from, to] = last > first ? [first - margin, last + margin] : [first - 500, last + 500];
  const ticks = data.times.length > 0 ? timeTicks(from, to, (width - left - right) / 95) : [];
  const tickLabels = new Map(ticks.map(({ at, label, date }) => [at, date === null ? label : `${label}\n${date}`]));

  const room = height - top - bottom - between * (panels.length - 1);
  const shares = panels.reduce((sum, { share }) => sum + share, 0);
  let y = top;
  const grids = panels.map(({ share }) => {
    const grid = { left, top: Math.round(y), width: width - left - right, height: Math.round((room * share) / shares) };
    y += grid.height + between;
    return grid;
  });

  return {
    animation: false,
    backgroundColor: '#FFFFFF',
    textStyle: { fontFamily: font, color: ink },
    title: {
      text: oneLine(data.method ? `${title} · ${data.method}` : title),
      subtext: subtitle(data, rois.length, first, last),
      left: left - 4,
      top: 16,
      itemGap: 8,
      textStyle: { fontFamily: font, fontSize: 18, fontWeight: 'bold', color: ink },
      subtextStyle: { fontFamily: font, fontSize: 13, color: '#555555' },
    },
    grid: grids,
    xAxis: panels.map((_, i) => {
      const lowest = i === panels.length - 1;
      const customValues = ticks.map(({ at }) => at);
      return {
        type: 'value',
        gridIndex: i,
        min: from,
        max: to,
        name: lowest ? 'Time as recorded' : '',
        nameLocation: 'middle',
        nameGap: 46,
        nameTextStyle: { fontFamily: font, fontSize: 13, color: ink },
        axisLine: { show: true, onZero: false, lineStyle: { color: ink } },
        axisTick: { show: lowest, customValues, lineStyle: { color: ink } },
        axisLabel: {
          show: lowest,
          customValues,
          fontFamily: font,
          fontSize: 12,
          lineHeight: 16,
          color: ink,
          hideOverlap: false,
          showMinLabel: true,
          showMaxLabel: true,
          formatter: (at: number) => tickLabels.get(at) ?? '',
        },
        splitLine: { show: true, customValues, lineStyle: { color: faint } },
      };
    }),
    yAxis: panels.map(({ title: name, axis }, i) => ({
      type: 'value',
      gridIndex: i,
      min: axis.min,
      max: axis.max,
      name,
      nameLocation: 'middle',
      nameGap: 62,
      nameTextStyle: { fontFamily: font, fontSize: 13, color: ink },
      axisLine: { show: true, onZero: false, lineStyle: { color: ink } },
      axisTick: { show: true, customValues: axis.ticks, lineStyle: { color: ink } },
      axisLabel: { customValues: axis.ticks, fontFamily: font, fontSize: 12, color: ink },
      splitLine: { show: true, customValues: axis.ticks, lineStyle: { color: faint } },
    })),
    series: panels.map(({ strokes }, i) => strokesSeries(strokes, i)),
    graphic: [
      ...panels.flatMap(({ legend }, i) => {
        const grid = grids[i] as (typeof grids)[0];
        return legend(left + grid.width + 16, grid.top, grid.height);
      }),
      ...(rois.length === 0 ? [noResultsYet(grids[0] as (typeof grids)[0])] : []),
    ],
  };
}

function positionPanel(data: PlotData, rois: readonly PlotTrack[], gaps: Uint8Array): Panel {
  return {
    title: 'Resonance position / px',
    share: 1.15,
    axis: axisOver(rois.map(({ values }) => values)),
    strokes: trackStrokes(data, rois, gaps, 0),
    legend: roiLegend(rois),
  };
}

function shiftPanel(data: PlotData, rois: readonly PlotTrack[], gaps: Uint8Array): Panel {
  const shifts = rois.map(track => ({ ...track, values: track.shifts }));
  const many = rois.length > maxDistinct;
  const strokes = trackStrokes(data, shifts, gaps, many ? 0.35 : 0);
  const panel = { title: 'Shift / px', share: 1 };
  if (!many) return { ...panel, axis: axisOver(shifts.map(({ values }) => values)), strokes, legend: () => [] };
  const { median, low, high } = shiftSummary({ times: data.times, rois });
  const [lows, highs, medians] = [low, high, median].map(values => trackLines(data.times, values, gaps)) as [
    Stretch[],
    Stretch[],
    Stretch[],
  ];
  const over = { colour: '#000000', opacity: 1, mark: 0 };
  strokes.push({ ...over, stretches: [...lows, ...highs], width: 1 });
  strokes.push({ ...over, stretches: medians, width: 2.2, mark: data.times.length <= maxMarked ? 3 : 0 });
  return {
    ...panel,
    axis: axisOver([...shifts.map(({ values }) => values)], 0.005),
    strokes,
    legend: (x, y) => [
      ...named(x, y + 4, '#000000', 2.2, 'median of ROIs'),
      ...named(x, y + 26, '#000000', 1, 'middle 68 %'),
      ...named(x, y + 48, gradualColour(0.5), 1, 'each ROI'),
    ],
  };
}

function temperaturePanel(data: PlotData, sensors: readonly PlotTrack[], gaps: Uint8Array): Panel {
  return {
    title: 'Temperature / °C',
    share: 0.7,
    axis: axisOver(sensors.map(({ values }) => values)),
    strokes: trackStrokes(data, sensors, gaps, 0),
    legend: (x, y, height) => nameList(sensors, x, y, height),
  };
}

function trackStrokes(data: PlotData, tracks: readonly PlotTrack[], gaps: Uint8Array, faded: number): Stroke[] {
  const count = tracks.length;
  const crowded = count > maxNamed;
  return tracks.map(({ values }, i) => ({
    stretches: trackLines(data.times, values, gaps),
    colour: trackColour(i, count),
    width: count <= maxDistinct ? 1.6 : crowded ? 0.8 : 1.2,
    opacity: faded || (crowded ? Math.max(0.35, 0.8 - count / 1500) : 1),
    mark: data.times.length <= maxMarked && !crowded ? 2.5 : 0,
  }));
}

/** The axis of all these values; `leaveOut`: this share of them at either end may lie outside it. */
function axisOver(tracks: readonly ArrayLike<number>[], leaveOut = 0): ValueAxis {
  const length = tracks.reduce((sum, values) => sum + values.length, 0);
  const all = new Float64Array(length);
  let count = 0;
  for (const values of tracks) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (Number.isFinite(value)) all[count++] = value;
    }
  }
  if (count === 0) return { min: 0, max: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1], step: 0.2 };
  const sorted = all.subarray(0, count).sort();
  return valueAxis(quantile(sorted, leaveOut), quantile(sorted, 1 - leaveOut), 7);
}

/** One series draws all strokes of a panel: a series each would cost seconds and gigabytes at 644 ROIs. */
function strokesSeries(strokes: readonly Stroke[], panel: number): CustomSeriesOption {
  return {
    type: 'custom',
    xAxisIndex: panel,
    yAxisIndex: panel,
    silent: true,
    clip: true,
    encode: { x: -1, y: -1 },
    data: strokes.map((_, i) => [i]),
    renderItem: (params, api) => {
      const stroke = strokes[params.dataIndex] as Stroke;
      const [x0, y0] = api.coord([0, 0]) as [number, number];
      const [x1, y1] = api.coord([1e9, 1]) as [number, number];
      const place = ([time, value]: readonly [number, number]): [number, number] => [
        Math.round((x0 + ((x1 - x0) / 1e9) * time) * 10) / 10,
        Math.round((y0 + (y1 - y0) * value) * 10) / 10,
      ];
      return { type: 'group', children: stroke.stretches.flatMap(stretch => shapes(stroke, stretch, place)) };
    },
  };
}

function shapes(
  { colour, width, opacity, mark }: Stroke,
  stretch: Stretch,
  place: (point: readonly [number, number]) => [number, number],
): { type: 'polyline' | 'circle'; shape: object; style: object }[] {
  const points = stretch.map(place);
  const lone = points.length === 1;
  const radius = lone ? Math.max(mark, 2) : mark;
  return [
    ...(lone
      ? []
      : ([
          {
            type: 'polyline',
            shape: { points },
            style: { stroke: colour, fill: 'none', lineWidth: width, opacity, lineJoin: 'round' },
          },
        ] as const)),
    ...(radius === 0
      ? []
      : points.map(([cx, cy]) => ({
          type: 'circle' as const,
          shape: { cx, cy, r: radius },
          style: { fill: colour, opacity },
        }))),
  ];
}

function roiLegend(rois: readonly PlotTrack[]): Panel['legend'] {
  if (rois.length <= maxNamed) return (x, y, height) => nameList(rois, x, y, height);
  return (x, y, height) => {
    const barTop = y + 32;
    const barHeight = height - 40;
    const bands = 64;
    const marks = Math.max(2, Math.min(12, Math.floor(barHeight / 24)));
    return [
      text(x, y + 2, `${counted(rois.length, 'ROI')}, in order`, 12),
      ...Array.from({ length: bands }, (_, i) => ({
        type: 'rect' as const,
        // Half a pixel of overlap: no white seams between bands.
        shape: { x, y: barTop + (barHeight * i) / bands, width: 14, height: barHeight / bands + 0.5 },
        style: { fill: gradualColour((i + 0.5) / bands) },
        silent: true,
      })),
      ...Array.from({ length: marks }, (_, i) => {
        const place = i / (marks - 1);
        const { name } = rois[Math.round(place * (rois.length - 1))] as PlotTrack;
        return text(x + 22, barTop + place * barHeight - 7, name, 11);
      }),
    ];
  };
}

function nameList(tracks: readonly PlotTrack[], x: number, y: number, height: number): GraphicComponentOption[] {
  const pitch = Math.min(22, (height - 4) / Math.max(1, tracks.length));
  const size = Math.max(7, Math.min(12, pitch - 3));
  return tracks.flatMap(({ name }, i) => named(x, y + 2 + i * pitch, trackColour(i, tracks.length), 2.5, name, size));
}

function named(x: number, y: number, colour: string, width: number, name: string, size = 12): GraphicComponentOption[] {
  const middle = y + size / 2 + 1;
  return [
    {
      type: 'line',
      shape: { x1: x, y1: middle, x2: x + 22, y2: middle },
      style: { stroke: colour, lineWidth: width },
      silent: true,
    },
    text(x + 30, y, name, size),
  ];
}

function text(x: number, y: number, words: string, size: number): GraphicComponentOption {
  return {
    type: 'text',
    x,
    y,
    style: { text: shortened(oneLine(words), 20), font: `${size}px ${font}`, fill: ink },
    silent: true,
  };
}

function noResultsYet(grid: { left: number; top: number; width: number; height: number }): GraphicComponentOption {
  return {
    type: 'text',
    x: grid.left + grid.width / 2,
    y: grid.top + grid.height / 2,
    style: { text: 'No results yet', font: `16px ${font}`, fill: '#777777', align: 'center', verticalAlign: 'middle' },
    silent: true,
  };
}

function subtitle({ frames, stride }: PlotData, rois: number, first: number, last: number): string {
  if (frames === 0) return '';
  const moment = (time: number): string => new Date(time).toISOString().slice(0, 19).replace('T', ' ');
  const [begin, end] = [moment(first), moment(last)];
  const when = begin === end ? begin : `${begin} to ${begin.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end}`;
  const count = (n: number, noun: string): string => `${n.toLocaleString('en-GB')} ${noun}${n === 1 ? '' : 's'}`;
  const mean = stride > 1 ? ` · each point is the mean of ${stride} images` : '';
  return `${count(rois, 'ROI')} · ${count(frames, 'image')} · ${when}${mean}`;
}

function hasValues({ values }: PlotTrack): boolean {
  return values.some(value => Number.isFinite(value));
}
