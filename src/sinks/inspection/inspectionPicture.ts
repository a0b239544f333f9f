import type { EChartsOption, SeriesOption } from 'echarts';
import { number } from '../../model/quantity.ts';
import { type InspectedRow, meanRow, type RoiInspection } from '../../model/roiInspection.ts';

/** What one looks at, and what is said above it. */
export interface InspectionPictureData {
  inspection: RoiInspection;
  title: string;
  /** Below the title, a line each. */
  words: readonly string[];
  /** The ROI's pixels, and what the fits leave of them (null: there is no fit); of the shape of {@link imagePanel}. */
  pixels: InspectionImage;
  residuals: InspectionImage | null;
}

/** PNG as a data URI, and what its black and its white stand for, counts. */
export interface InspectionImage {
  uri: string;
  black: number;
  white: number;
}

const font = 'DejaVu Sans';
const ink = '#222222';
const faint = '#E4E4E4';
/** After Okabe and Ito. */
const colours = { measured: '#222222', fit: '#D55E00', reference: '#0072B2', rejected: '#CC79A7' };

export const pictureWidth = 1240;
const left = 80;
const right = 30;
const gap = 84;
const half = (pictureWidth - left - right - gap) / 2;
const lineHeight = 20;
const panelHeights = [250, 230, 230, 230] as const;
/** Units of the panels that the pictures fill. */
export const imagePanel = { width: half, height: panelHeights[0] };
const between = 74;

/** Where the panels begin. */
const headHeight = (words: number): number => 64 + words * lineHeight + 26;

/** Height of each line of panels: that of its title alone where there is nothing to draw. */
const heightsOf = ({ rows, reference }: RoiInspection): number[] => {
  const isDrawn = [true, true, Boolean(reference?.ratio), usedOf(rows).length > 0];
  return panelHeights.map((height, i) => (isDrawn[i] ? height : titleHeight - between));
};
const titleHeight = 34;

/** Pixels before the zoom. */
export const pictureHeight = ({ words, inspection }: Pick<InspectionPictureData, 'words' | 'inspection'>): number =>
  headHeight(words.length) + heightsOf(inspection).reduce((sum, height) => sum + height + between, 0);

interface Panel {
  title: string;
  grid: { left: number; top: number; width: number; height: number };
  x: { name: string; min: number; max: number };
  /** `isDown`: rows are counted downwards. */
  y: { name: string; min?: number; max?: number; isDown?: boolean };
  series: SeriesOption[];
  /** Lies below the series. */
  image?: string | null;
}

/**
 * All that the analysis saw of a ROI, as an echarts option: its pixels with the position of each row, what the fits leave, the mean row with fit and
 * reference, the ratio to the reference with its fit, and the positions of the rows. Pure; all text is in DejaVu Sans.
 */
export function inspectionPicture(data: InspectionPictureData): EChartsOption {
  const { title, words } = data;
  const all = panelsOf(data, headHeight(words.length));
  const panels = all.filter(({ series, image }) => series.length > 0 || image);
  return {
    animation: false,
    backgroundColor: '#FFFFFF',
    textStyle: { fontFamily: font, color: ink },
    title: [
      {
        text: title,
        subtext: words.join('\n'),
        left: left - 6,
        top: 14,
        itemGap: 8,
        textStyle: { fontFamily: font, fontSize: 18, fontWeight: 'bold', color: ink },
        subtextStyle: { fontFamily: font, fontSize: 13, color: '#444444', lineHeight },
      },
      ...all.map(({ title: text, grid }) => ({
        text,
        left: grid.left - 6,
        top: grid.top - 24,
        padding: 0,
        textStyle: { fontFamily: font, fontSize: 13, color: ink },
      })),
    ],
    graphic: panels.flatMap(({ image, grid: { left: x, top: y, width, height } }) =>
      image ? [{ type: 'image' as const, z: -1, silent: true, style: { image, x, y, width, height } }] : [],
    ),
    grid: panels.map(({ grid }) => grid),
    xAxis: panels.map(({ x, image }, gridIndex) => ({
      type: 'value',
      gridIndex,
      ...x,
      nameLocation: 'middle',
      nameGap: 26,
      splitNumber: 6,
      axisLine: { show: true, onZero: false, lineStyle: { color: ink } },
      axisTick: { show: true },
      splitLine: { show: image === undefined, lineStyle: { color: faint } },
      axisLabel: { fontFamily: font, color: ink, showMinLabel: false, showMaxLabel: false },
    })),
    yAxis: panels.map(({ y: { isDown = false, ...y }, image }, gridIndex) => ({
      type: 'value',
      gridIndex,
      ...y,
      inverse: isDown,
      scale: true,
      nameLocation: 'middle',
      nameGap: 56,
      splitNumber: 4,
      axisLine: { show: true, onZero: false, lineStyle: { color: ink } },
      axisTick: { show: true },
      splitLine: { show: image === undefined, lineStyle: { color: faint } },
      axisLabel: { fontFamily: font, color: ink },
    })),
    series: panels.flatMap(({ series }, i) =>
      series.map(each => ({ ...each, xAxisIndex: i, yAxisIndex: i })),
    ) as SeriesOption[],
  };
}

/** Where a panel stands: its row, and the left or right half of it, or all of it. */
type PlaceOf = (row: number, half: 'left' | 'right' | 'whole') => Panel['grid'];

function panelsOf(data: InspectionPictureData, top: number): Panel[] {
  const tops: number[] = [];
  let y = top;
  for (const each of heightsOf(data.inspection)) {
    tops.push(y);
    y += each + between;
  }
  const at: PlaceOf = (row, side) => ({
    left: side === 'right' ? left + half + gap : left,
    top: tops[row] as number,
    width: side === 'whole' ? pictureWidth - left - right : half,
    height: panelHeights[row] as number,
  });
  return [...pixelPanels(data, at), ...profilePanels(data, at), ...referencePanels(data, at), positionPanel(data, at)];
}

const middle = ({ from, to }: InspectedRow): number => (from + to) / 2;
const usedOf = (rows: readonly InspectedRow[]): InspectedRow[] => rows.filter(({ position }) => position !== null);
const across = (width: number) => ({ name: 'column, px', min: -0.5, max: width - 0.5 });

/** The ROI itself, and what its fit leaves of it. */
function pixelPanels({ inspection, pixels, residuals }: InspectionPictureData, at: PlaceOf): Panel[] {
  const { roi, rows } = inspection;
  const [height, width] = roi.size;
  const x = across(width);
  const y = { name: 'row', min: 0, max: height, isDown: true };
  const positions = usedOf(rows).map((row): [number, number] => [row.position as number, middle(row)]);
  const rejected = rows.filter(({ rejection }) => rejection !== null).map((row): [number, number] => [0, middle(row)]);
  const rejectedDots = dots(rejected, colours.rejected, 7, 'triangle');
  return [
    {
      title: `Pixels, ${scaleWords(pixels)}; dots: positions${rejected.length > 0 ? ', ▸: rejected rows' : ''}`,
      grid: at(0, 'left'),
      x,
      y,
      series: [dots(positions, colours.fit, 3), rejectedDots],
      image: pixels.uri,
    },
    {
      title: residuals ? `Less the fit of each row, ${scaleWords(residuals)}` : noFitWords(inspection),
      grid: at(0, 'right'),
      x,
      y,
      series: residuals ? [rejectedDots] : [],
      image: residuals?.uri ?? null,
    },
  ];
}

/** The mean row with the mean fit, and the difference. */
function profilePanels({ inspection }: InspectionPictureData, at: PlaceOf): Panel[] {
  const { roi, rows, result } = inspection;
  const x = across(roi.size[1]);
  const y = { name: 'counts' };
  const used = usedOf(rows).length;
  const { measured, fit } = meanRow(inspection);
  return [
    {
      title: `Mean of the ${used > 0 ? `${used} used ` : ''}rows (black)${fit ? ', mean fit (orange)' : ''}`,
      grid: at(1, 'left'),
      x,
      y,
      series: [
        curve(measured, colours.measured),
        ...(fit ? [curve(fit, colours.fit)] : []),
        ...(result.position === null ? [] : [upright(result.position, colours.fit)]),
      ],
    },
    {
      title: fit ? 'Mean row less mean fit' : noFitWords(inspection),
      grid: at(1, 'right'),
      x,
      y,
      series: fit ? [curve(less(measured, fit), colours.measured)] : [],
    },
  ];
}

/** The frame beside the reference, and their ratio, from which the shift is found. */
function referencePanels({ inspection: { roi, reference } }: InspectionPictureData, at: PlaceOf): Panel[] {
  const x = across(roi.size[1]);
  const ratio = reference?.ratio;
  if (!ratio) {
    const title = reference
      ? 'The frame was not compared with the pattern of the reference'
      : 'There is no reference of this ROI';
    return [{ title, grid: at(2, 'whole'), x, y: { name: 'counts' }, series: [] }];
  }
  const { columns, measured, fitted, frame, reference: before } = ratio;
  return [
    {
      title: 'Light above the dark level: frame (black), reference (blue)',
      grid: at(2, 'left'),
      x,
      y: { name: 'counts' },
      series: [pairs(columns, before, colours.reference), pairs(columns, frame, colours.measured)],
    },
    {
      title: 'ln(frame / reference): measured (dots), fit (orange), difference',
      grid: at(2, 'right'),
      x,
      y: { name: 'ln ratio' },
      series: [
        ...(fitted ? [pairs(columns, less(measured, fitted), '#999999')] : []),
        dots(pointsOf(columns, measured), colours.measured, 4),
        ...(fitted ? [pairs(columns, fitted, colours.fit)] : []),
      ],
    },
  ];
}

function positionPanel({ inspection: { roi, rows, result } }: InspectionPictureData, at: PlaceOf): Panel {
  const [height] = roi.size;
  const positions = usedOf(rows).map((row): [number, number] => [middle(row), row.position as number]);
  return {
    title:
      positions.length > 0
        ? 'Position of each row, and of the ROI with its standard error (line and band)'
        : 'No row has a position',
    grid: at(3, 'whole'),
    x: { name: 'row', min: 0, max: height },
    y: { name: 'position, px' },
    series: [
      ...(positions.length > 0 ? [dots(positions, colours.measured, 4)] : []),
      ...(result.position === null ? [] : level(result.position, result.uncertainty ?? 0, height)),
    ],
  };
}

const less = (values: ArrayLike<number>, others: ArrayLike<number>): number[] =>
  Array.from(values, (value, i) => value - others[i]!);

const pointsOf = (xs: ArrayLike<number>, ys: ArrayLike<number>): [number, number][] =>
  Array.from({ length: xs.length }, (_, i): [number, number] => [xs[i]!, ys[i]!]).filter(([, y]) => Number.isFinite(y));

const pairs = (xs: ArrayLike<number>, ys: ArrayLike<number>, colour: string): SeriesOption => ({
  type: 'line',
  data: pointsOf(xs, ys),
  showSymbol: false,
  lineStyle: { color: colour, width: 1.6 },
});

const curve = (ys: readonly number[], colour: string): SeriesOption =>
  pairs(
    ys.map((_, x) => x),
    ys,
    colour,
  );

const dots = (data: [number, number][], color: string, size: number, symbol = 'circle'): SeriesOption => ({
  type: 'scatter',
  data,
  symbol,
  symbolSize: size,
  symbolRotate: symbol === 'triangle' ? -90 : 0,
  itemStyle: { color },
});

/** A dashed line at a column. */
const upright = (x: number, color: string): SeriesOption => ({
  type: 'line',
  data: [],
  markLine: {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color, type: 'dashed' },
    data: [{ xAxis: x }],
  },
});

const noFitWords = ({ method }: RoiInspection): string =>
  method === 'gaussian' || method === 'fano' ? 'No row has a fit' : 'The method fits no line';

/** `black 96 to white 1,820 counts`. */
const scaleWords = ({ black, white }: InspectionImage): string =>
  black === white
    ? `all ${number(Math.round(black))} counts`
    : `black ${number(Math.round(black))} to white ${number(Math.round(white))} counts`;

/** A line at a height with a band around it, for both of which the axis has room. */
const level = (y: number, error: number, to: number): SeriesOption[] => [
  bandAround(y, error, to),
  dots(
    [y - error, y + error].map(end => [0, end]),
    colours.fit,
    0,
  ),
];

const bandAround = (y: number, error: number, to: number): SeriesOption => ({
  type: 'line',
  data: [
    [0, y],
    [to, y],
  ],
  showSymbol: false,
  lineStyle: { color: colours.fit, width: 1.6 },
  markArea: {
    silent: true,
    itemStyle: { color: colours.fit, opacity: 0.25 },
    data: [[{ yAxis: y - error }, { yAxis: y + error }]],
  },
});
