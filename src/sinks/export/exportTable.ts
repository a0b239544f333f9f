import type { ChosenFrame, ChosenFrames } from '../series/chosenFrames.ts';
import { temperatureColumn } from '../table/csvColumns.ts';
import { type DerivedOptions, derivedValues } from './derivedValues.ts';
import type { DerivedValue, RoiValue } from './roiValues.ts';

/** `utc`: an instant; `local`: what the clock at the camera showed. Both in ms since 1970, the latter as if it were UTC. */
export type ExportType = 'utc' | 'local' | 'text' | 'f64' | 'f32';

export interface ExportColumn {
  name: string;
  type: ExportType;
  /** Empty for what has none. */
  unit: string;
  meaning: string;
}

/** Of a column, in order of the rows; null where there is none. Numbers are finite. */
export type ExportValues = (number | string | null)[];

/** So many rows of a table, column by column: as many arrays as the table has columns, of one length. */
export type ExportPiece = readonly ExportValues[];

export interface ExportTable {
  columns: readonly ExportColumn[];
  pieces(): AsyncGenerator<ExportPiece>;
}

/** Rows of a piece: a row group of Parquet. */
const pieceRows = 32_768;
/** Values of a piece, where a row has hundreds. */
const pieceValues = 500_000;

const number = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value;

type ValueOf = (frame: ChosenFrame, roi: number) => number | string | null;

/** What the values of a ROI are. */
type RoiColumns = Readonly<Record<RoiValue, { type: ExportType; unit: string; meaning: string; of: ValueOf }>>;

const derived: Readonly<Record<DerivedValue, { unit: string; meaning: string }>> = {
  median: { unit: 'px', meaning: 'median of the shifts of the last images, without those that are flagged' },
  slope: { unit: 'px/h', meaning: 'slope of the shift over the last images (Theil and Sen)' },
  slope_uncertainty: { unit: 'px/h', meaning: 'standard error of the slope' },
  resonance: { unit: 'px', meaning: 'of a pair of halves: mean of their shifts, what the resonance does' },
  movement: { unit: 'px', meaning: 'of a pair of halves: half of the difference of their shifts, what the chip does' },
  rezeroed: { unit: 'px', meaning: 'shift since the mean of the time that [Quantities] sets to zero' },
};

/** The columns of one table: what follows from images before is known in it alone. */
function roiColumns(options: DerivedOptions): RoiColumns {
  const values = derivedValues(options);
  const entries = Object.entries(derived).map(([name, column]) => [
    name,
    {
      type: 'f64',
      ...column,
      of: (frame: ChosenFrame, roi: number) => number(values.of(name as DerivedValue, frame, roi)),
    },
  ]);
  return { ...measured, ...Object.fromEntries(entries) };
}

const measured: Omit<RoiColumns, DerivedValue> = {
  position: {
    type: 'f64',
    unit: 'px',
    meaning: 'the resonance, from the left edge of the ROI after its flip',
    of: ({ row }, roi) => number(row.positions[roi]),
  },
  uncertainty: {
    type: 'f32',
    unit: 'px',
    meaning: 'standard error of the position',
    of: ({ row }, roi) => number(row.uncertainties[roi]),
  },
  shift: {
    type: 'f32',
    unit: 'px',
    meaning: 'of the resonance since the reference',
    of: ({ row }, roi) => number(row.shifts[roi]),
  },
  shift_uncertainty: {
    type: 'f32',
    unit: 'px',
    meaning: 'standard error of the shift',
    of: ({ row }, roi) => number(row.shiftUncertainties[roi]),
  },
  flags: {
    type: 'text',
    unit: '',
    meaning: 'reasons to distrust the values, with ";" between them; empty when all is well',
    of: ({ row, flags }, roi) => flags.filter((_, bit) => ((row.flags[roi] ?? 0) >> bit) & 1).join(';'),
  },
};

/** A column with how its value is found; `roi` is an index into the frame's labels, -1 where the frame lacks the ROI. */
interface Filled extends ExportColumn {
  of: ValueOf;
}

/** Columns that belong to the image, not to a ROI. */
function frameColumns(sensors: readonly string[]): Filled[] {
  const chip = (name: string, unit: string, meaning: string, axis: number): Filled => ({
    name,
    type: 'f32',
    unit,
    meaning,
    of: ({ row }) => number(row.chipShift[axis]),
  });
  return [
    {
      name: 'time_utc',
      type: 'utc',
      unit: '',
      meaning: 'when the image was taken, UTC; empty where its time zone is not known',
      of: ({ row }) => number(row.utc),
    },
    {
      name: 'time_local',
      type: 'local',
      unit: '',
      meaning: 'the same, as the clock at the camera showed it',
      of: ({ row }) => number(row.local),
    },
    {
      name: 'entry_id',
      type: 'text',
      unit: '',
      meaning: 'the image in the manifest; the hash of an id of more than 40 bytes',
      of: ({ row }) => row.id,
    },
    ...[...new Map(sensors.map(sensor => [temperatureColumn(sensor), sensor]))].map(
      ([name, sensor]): Filled => ({
        name,
        type: 'f32',
        unit: '°C',
        meaning: `temperature of ${sensor}`,
        of: ({ row, sensors: own }) =>
          number(row.temperatures[own.findIndex(each => temperatureColumn(each) === name)]),
      }),
    ),
    chip('chip_dx', 'px', 'movement of the chip to the right since its reference image', 0),
    chip('chip_dy', 'px', 'movement of the chip down', 1),
    chip('chip_angle', 'degree', 'turn of the chip', 2),
  ];
}

/** A row for each image and ROI. @param isChosen which labels */
export function longTable(
  frames: ChosenFrames,
  values: readonly RoiValue[],
  isChosen: (label: string) => boolean,
  options: DerivedOptions = { windowFrames: 15, zeros: new Map() },
): ExportTable {
  const ofRoi = roiColumns(options);
  const [utc, local, id, ...others] = frameColumns(frames.sensors) as [Filled, Filled, Filled, ...Filled[]];
  const columns: Filled[] = [
    utc,
    local,
    id,
    {
      name: 'roi',
      type: 'text',
      unit: '',
      meaning: 'label of the ROI',
      of: ({ labels }, roi) => labels[roi] ?? null,
    },
    { name: 'method', type: 'text', unit: '', meaning: 'analysis method', of: ({ method }) => method },
    ...values.map((name): Filled => ({ name, ...ofRoi[name] })),
    ...others,
  ];
  return {
    columns,
    pieces: () =>
      inPieces(columns, frames, pieceRows, labels => labels.flatMap((label, roi) => (isChosen(label) ? [roi] : []))),
  };
}

/** A row for each image: each ROI has a column of its own for each value, `LABEL` where there is one value, else `LABEL.value`. */
export function wideTable(
  frames: ChosenFrames,
  values: readonly RoiValue[],
  isChosen: (label: string) => boolean,
  options: DerivedOptions = { windowFrames: 15, zeros: new Map() },
): ExportTable {
  const ofRoi = roiColumns(options);
  const columns = [
    ...frameColumns(frames.sensors),
    ...frames.labels.filter(isChosen).flatMap(label =>
      values.map((value): Filled => {
        const { of, meaning, ...column } = ofRoi[value];
        const placeIn = placeOf(label);
        return {
          name: values.length === 1 ? label : `${label}.${value}`,
          ...column,
          meaning: `${value.replace('_', ' ')} of ${label}: ${meaning}`,
          of: frame => {
            const roi = placeIn(frame.labels);
            return roi < 0 ? null : of(frame, roi);
          },
        };
      }),
    ),
  ];
  const rows = Math.max(1, Math.min(pieceRows, Math.floor(pieceValues / columns.length)));
  return { columns, pieces: () => inPieces(columns, frames, rows, () => [-1]) };
}

/** Where a label stands; images of one segment share their labels. */
function placeOf(label: string): (labels: readonly string[]) => number {
  let known: readonly string[] | null = null;
  let at = -1;
  return labels => {
    if (labels !== known) {
      known = labels;
      at = labels.indexOf(label);
    }
    return at;
  };
}

/** @param rowsOf the rows of an image: of which ROI each is. */
async function* inPieces(
  columns: readonly Filled[],
  frames: ChosenFrames,
  rows: number,
  rowsOf: (labels: readonly string[]) => readonly number[],
): AsyncGenerator<ExportPiece> {
  const empty = (): ExportValues[] => columns.map(() => []);
  let piece = empty();
  let labels: readonly string[] | null = null;
  let chosen: readonly number[] = [];
  for await (const frame of frames.read()) {
    if (frame.labels !== labels) {
      labels = frame.labels;
      chosen = rowsOf(labels);
    }
    for (const roi of chosen) {
      for (const [i, { of }] of columns.entries()) piece[i]!.push(of(frame, roi));
      if (piece[0]!.length < rows) continue;
      yield piece;
      piece = empty();
    }
  }
  if (piece[0]!.length > 0) yield piece;
}
