import type { CustomSeriesOption, EChartsOption } from 'echarts';
import { gapsBefore } from '../../../model/gaps.ts';
import { gradualColour } from '../../plot/plotColours.ts';
import { trackLines } from '../../plot/trackLines.ts';
import type { PictureData, Place, ReportRoi, RoiQuantity } from '../reportData.ts';
import {
  coloursOf,
  commonOption,
  counts,
  cutWords,
  escapedText,
  figure,
  flagWords,
  type Look,
  momentText,
  numberAxis,
  type Picture,
  robustRange,
  roiCount,
  shareRange,
  warnedWords,
  withUnit,
} from './pictureParts.ts';

/** What maps of the chip show. */
export const mapQuantities = ({
  transitionUnit,
}: Pick<PictureData, 'transitionUnit'>): { key: RoiQuantity; title: string; unit: string }[] => [
  { key: 'shift', title: 'Shift at the end', unit: 'px' },
  { key: 'transition', title: 'Time of the largest change, since the first image', unit: transitionUnit },
  { key: 'step', title: 'Height of the largest change', unit: 'px' },
  { key: 'sensitivity', title: 'Sensitivity', unit: 'px/RIU' },
  { key: 'noise', title: 'Noise of one value', unit: 'px' },
  { key: 'flagged', title: 'Images in which the ROI has a flag', unit: '%' },
];

/** Room for title and notes, px. */
const narrowest = 900;
/** Highest that a picture of the chip is, px. */
const tallest = 900;
/** A ROI's curve has at most so many points. */
const curvePoints = 90;

interface Frame {
  option: EChartsOption;
  /** px */
  width: number;
  height: number;
}

/** Axes of the frame, on which the ROIs lie as on the chip. */
function chipFrame(data: PictureData, look: Look, right: number, most: number): Frame {
  const places = [...data.rois.map(({ place }) => place), ...data.outlines];
  const low = (of: (place: Place) => number): number =>
    places.reduce((least, place) => Math.min(least, of(place)), Infinity);
  const [x0, y0] = [low(({ x }) => x), low(({ y }) => y)];
  const [x1, y1] = [-low(({ x, width }) => -x - width), -low(({ y, height }) => -y - height)];
  const margin = 0.02 * Math.max(x1 - x0, y1 - y0);
  const [spanX, spanY] = [x1 - x0 + 2 * margin, y1 - y0 + 2 * margin];
  const left = data.isLaidOut ? 70 : 16;
  const bottom = data.isLaidOut ? 58 : 16;
  const scale = Math.min((look.width - left - right) / spanX, most / spanY);
  const [width, height] = [Math.round(spanX * scale), Math.round(spanY * scale)];
  const quiet = { axisLabel: { show: false }, axisTick: { show: false }, axisLine: { show: false }, name: '' };
  const axis = (name: string, min: number, max: number) => ({
    ...numberAxis(look, name, { min, max }),
    splitLine: { show: false },
    ...(data.isLaidOut ? {} : quiet),
  });
  const inner = {
    showMinLabel: false,
    showMaxLabel: false,
    color: coloursOf(look).ink,
    fontSize: 12,
    show: data.isLaidOut,
  };
  return {
    width: left + width + right,
    height: height + bottom + 16,
    option: {
      ...commonOption(look),
      grid: { left, top: 12, width, height },
      xAxis: {
        ...axis('Column in the turned frame / px', x0 - margin, x1 + margin),
        type: 'value',
        position: 'bottom',
        nameGap: 34,
        axisLabel: inner,
      },
      yAxis: { ...axis('Row / px', y0 - margin, y1 + margin), inverse: true, axisLabel: inner },
    },
  };
}

type Api = Parameters<NonNullable<CustomSeriesOption['renderItem']>>[1];

function rectangle(api: Api, { x, y, width, height }: Place): Place {
  const [left, top] = api.coord([x, y]) as [number, number];
  const [right, bottom] = api.coord([x + width, y + height]) as [number, number];
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function outlines(data: PictureData, look: Look): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    z: 0,
    encode: { x: -1, y: -1 },
    data: data.outlines.map((_, i) => [i]),
    renderItem: (params, api) => ({
      type: 'rect',
      shape: rectangle(api, data.outlines[params.dataIndex] as Place),
      style: { fill: 'none', stroke: coloursOf(look).faint, lineWidth: 1 },
    }),
  };
}

/** A figure of each ROI as a colour over the chip; null where no ROI has it. */
export function chipMap(data: PictureData, look: Look, quantity: RoiQuantity): Picture | null {
  const { title, unit } = mapQuantities(data).find(({ key }) => key === quantity)!;
  const { rois } = data;
  const { ink, faint, soft, paper } = coloursOf(look);
  const figureOf = (i: number): number => rois[i]?.figures[quantity] ?? Number.NaN;
  const all = rois.map((_, i) => i);
  const known = all.filter(i => Number.isFinite(figureOf(i)));
  if (known.length === 0) return null;
  // The scale is that of ROIs that are not flagged, where there are some; of flags it is that of all.
  const good = known.filter(i => (rois[i] as ReportRoi).warning === null);
  const scaleFrom = quantity === 'flagged' || good.length < 3 ? known : good;
  const values = scaleFrom.map(figureOf);
  const range = quantity === 'flagged' ? shareRange(Math.max(...values)) : robustRange([values], 0.02);
  const outside = known.filter(i => figureOf(i) < range.min || figureOf(i) > range.max);
  const frame = chipFrame(data, look, 130, tallest);
  const series = (which: readonly number[], isKnown: boolean): CustomSeriesOption => ({
    type: 'custom',
    encode: { x: -1, y: -1 },
    data: which.map(i => [i, isKnown ? Math.min(range.max, Math.max(range.min, figureOf(i))) : 0]),
    renderItem: (_params, api) => {
      const roi = rois[api.value(0) as number] as ReportRoi;
      const shape = rectangle(api, roi.place);
      return {
        type: 'group',
        children: [
          {
            type: 'rect',
            shape,
            style: {
              fill: isKnown ? (api.visual('color') as string) : paper,
              stroke: isKnown ? faint : soft,
              lineWidth: 0.6,
            },
          },
          ...(roi.warning === null ? [] : crossOver(shape, ink, paper)),
        ],
      };
    },
  });
  return chipPicture(data, look, frame, {
    name: `map_${quantity}`,
    title,
    about: quantity,
    option: {
      visualMap: {
        type: 'continuous',
        seriesIndex: 0,
        dimension: 1,
        min: range.min,
        max: range.max,
        calculable: look.interactive,
        left: frame.width - 112,
        top: 34,
        itemHeight: Math.max(80, Math.min(260, frame.height - 180)),
        itemWidth: 16,
        ...(look.interactive ? {} : { text: [`${figure(range.max)} ${unit}`, `${figure(range.min)} ${unit}`] }),
        textStyle: { color: ink, fontSize: 12 },
        formatter: (value: unknown) => `${figure(Number(value), 3)} ${unit}`,
        inRange: { color: Array.from({ length: 10 }, (_, i) => gradualColour(i / 9)) },
        outOfRange: { color: [faint] },
      },
    },
    series: [
      series(known, true),
      series(
        all.filter(i => !known.includes(i)),
        false,
      ),
    ],
    notes: [
      ...cutWords(
        { min: range.min, max: range.max, total: known.length, cut: outside.length },
        unit,
        outside.map(i => (rois[i] as ReportRoi).label),
      ),
      ...(outside.length > 0 ? ['These have the colour at the end of the scale.'] : []),
      ...(known.length < rois.length
        ? [`Without a colour: ${roiCount(rois.length - known.length)} for which it is not known.`]
        : []),
      ...warnedWords(data, ' They have a cross.'),
    ],
  });
}

/** A picture on the chip's axes; under the pointer each ROI tells its figures, what the picture is about first of all. */
function chipPicture(
  data: PictureData,
  look: Look,
  { option: axes, width, height }: Frame,
  picture: Pick<Picture, 'name' | 'title' | 'notes'> & {
    about: RoiQuantity | null;
    option?: EChartsOption;
    series: readonly CustomSeriesOption[];
  },
): Picture {
  const { about, option, series, notes, ...head } = picture;
  return {
    ...head,
    width: Math.max(narrowest, width),
    height,
    option: {
      ...axes,
      ...option,
      tooltip: {
        ...(axes.tooltip as object),
        trigger: 'item',
        formatter: (params: unknown) => {
          const [roi] = (params as { data: [number] }).data ?? [];
          return roi === undefined ? '' : roiWords(data, roi, about);
        },
      },
      series: [...series, outlines(data, look)],
    },
    notes: [
      ...notes,
      ...(data.isLaidOut ? [] : ['The ROI manifest does not say where the ROIs lie: they stand in their order.']),
    ],
  };
}

/** A cross that is seen on every colour. */
function crossOver({ x, y, width, height }: Place, ink: string, paper: string) {
  const lines = [
    { x1: x, y1: y, x2: x + width, y2: y + height },
    { x1: x, y1: y + height, x2: x + width, y2: y },
  ];
  return [
    [paper, 3],
    [ink, 1.1],
  ].flatMap(([stroke, lineWidth]) =>
    lines.map(shape => ({
      type: 'line' as const,
      shape,
      style: { stroke: stroke as string, lineWidth: lineWidth as number },
    })),
  );
}

/** What a ROI is told by under the pointer. */
function roiWords(data: PictureData, i: number, quantity: RoiQuantity | null): string {
  const roi = data.rois[i] as ReportRoi;
  const lines = mapQuantities(data).flatMap(({ key, title, unit }) => {
    const value = roi.figures[key] ?? null;
    if (value === null) return key === quantity ? [`${title}: not known`] : [];
    const words = `${title}: ${withUnit(value, roi.sigmaOf[key], unit)}`;
    return [key === quantity ? `<b>${escapedText(words)}</b>` : escapedText(words)];
  });
  const warning = roi.warning === null ? [] : [escapedText(`Flagged: ${roi.warning}`)];
  return [`<b>ROI ${escapedText(roi.label)}</b>`, ...lines, ...warning].join('<br>');
}

/** A small curve of each ROI where it lies on the chip, all on one scale. */
export function multiples(data: PictureData, look: Look): Picture {
  const { rois, times } = data;
  const { soft, faint, flag, lines } = coloursOf(look);
  // The scale is that of ROIs that are not flagged, where there are some.
  const good = rois.filter(({ warning }) => warning === null);
  const range = robustRange((good.length < 3 ? rois : good).map(({ shifts }) => shifts));
  const all = robustRange(rois.map(({ shifts }) => shifts));
  const isOut = (value: number): boolean => value < range.min || value > range.max;
  const out = rois.filter(({ shifts }) => shifts.some(isOut));
  const cut = out.reduce(
    (sum, { shifts }) => sum + shifts.reduce((count, value) => count + (isOut(value) ? 1 : 0), 0),
    0,
  );
  const frame = chipFrame(data, look, 24, 3000);
  const every = Math.max(1, Math.ceil(times.length / curvePoints));
  const thin = <T extends Float64Array | Float32Array>(values: T): T => values.filter((_, i) => i % every === 0) as T;
  const moments = thin(times);
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 1];
  const gaps = gapsBefore(moments, () => data.every * every);
  return chipPicture(data, look, frame, {
    name: 'multiples',
    title: 'Shift of each ROI against time, where it lies',
    about: null,
    series: [
      {
        type: 'custom',
        encode: { x: -1, y: -1 },
        data: rois.map((_, i) => [i]),
        renderItem: (params, api) => {
          const { place, shifts, distrusted, label, warning } = rois[params.dataIndex] as ReportRoi;
          const { x, y, width, height } = rectangle(api, place);
          const at = (time: number, value: number): [number, number] => [
            tenthOf(x + (width * (time - first)) / Math.max(1, last - first)),
            tenthOf(
              y +
                height -
                (height * (Math.min(range.max, Math.max(range.min, value)) - range.min)) / (range.max - range.min),
            ),
          ];
          const stretches = trackLines(moments, thin(shifts), gaps);
          const bad = [...thin(distrusted)].flatMap((value, k) =>
            Number.isNaN(value) ? [] : [at(moments[k] as number, value)],
          );
          return {
            type: 'group',
            children: [
              {
                type: 'rect',
                shape: { x, y, width, height },
                style: {
                  fill: 'rgba(0,0,0,0)',
                  stroke: warning === null ? faint : flag,
                  lineWidth: warning === null ? 1 : 1.2,
                },
              },
              ...stretches.map(stretch => ({
                type: 'polyline' as const,
                shape: { points: stretch.map(([time, value]) => at(time, value)) },
                style: { stroke: lines[0] as string, fill: 'none', lineWidth: 1, lineJoin: 'round' as const },
              })),
              ...bad.map(([cx, cy]) => ({ type: 'circle' as const, shape: { cx, cy, r: 1 }, style: { fill: flag } })),
              ...(height < 18
                ? []
                : [
                    {
                      type: 'text' as const,
                      style: {
                        text: label,
                        x: x + 2,
                        y: y + 3,
                        fontSize: Math.min(11, Math.max(7, height / 5)),
                        fontFamily: look.font,
                        fill: warning === null ? soft : flag,
                        width: width - 4,
                        overflow: 'truncate' as const,
                      },
                    },
                  ]),
            ],
          };
        },
      },
    ],
    notes: [
      `Each field runs from ${momentText(first)} to ${momentText(last)}, and from ${figure(range.min)} to ${figure(range.max)} px.`,
      ...(out.length > 0
        ? [
            `The scale leaves out ${counts(cut)} of ${counts(all.total)} values (${roiCount(out.length)}); they are drawn at its edge.`,
          ]
        : []),
      `Dots (beyond the scale at its edge) are values with the flag ${flagWords(data.distrustedBits, data)}.`,
      ...warnedWords(data, ' Their fields have a frame of the colour of the dots.'),
    ],
  });
}

const tenthOf = (value: number): number => Math.round(value * 10) / 10;
