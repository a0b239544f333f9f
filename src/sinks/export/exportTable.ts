import type { ChosenFrame, ChosenFrames } from '../series/chosenFrames.ts';
import { distrustedFlags } from '../series/seriesCurves.ts';
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

/** A column with how its value is found; `roi` is an index into the frame's labels, -1 where the frame lacks the ROI. */
interface Filled extends ExportColumn {
  of: (frame: ChosenFrame, roi: number) => number | string | null;
}

const column = (name: string, type: ExportType, unit: string, meaning: string, of: Filled['of']): Filled => ({
  ...{ name, type, unit, meaning, of },
});

const derived: Readonly<Record<DerivedValue, [unit: string, meaning: string]>> = {
  median: ['px', 'median of the shifts of the last images, without those that are flagged'],
  slope: ['px/h', 'slope of the shift over the last images (Theil and Sen)'],
  slope_uncertainty: ['px/h', 'standard error of the slope'],
  resonance: ['px', 'of a pair of halves: mean of their shifts, what the resonance does'],
  movement: ['px', 'of a pair of halves: half of the difference of their shifts, what the chip does'],
  rezeroed: ['px', 'shift since the mean of the time that [Quantities] sets to zero'],
};

/** Columns that a ROI has, of one table: what follows from images before is known in it alone. */
function roiColumns(names: readonly RoiValue[], options: DerivedOptions): Filled[] {
  const values = derivedValues(options);
  const measured = [
    column('position', 'f64', 'px', 'the resonance, from the left edge of the ROI after its flip', ({ row }, roi) =>
      number(row.positions[roi]),
    ),
    column('uncertainty', 'f32', 'px', 'standard error of the position', ({ row }, roi) =>
      number(row.uncertainties[roi]),
    ),
    column('shift', 'f32', 'px', 'of the resonance since the reference', ({ row }, roi) => number(row.shifts[roi])),
    column('shift_uncertainty', 'f32', 'px', 'standard error of the shift', ({ row }, roi) =>
      number(row.shiftUncertainties[roi]),
    ),
    column(
      'flags',
      'text',
      '',
      'reasons to distrust the values, with ";" between them; empty when all is well',
      ({ row, flags }, roi) => flags.filter((_, bit) => ((row.flags[roi] ?? 0) >> bit) & 1).join(';'),
    ),
  ];
  return names.map(name => {
    const known = measured.find(each => each.name === name);
    if (known) return known;
    const [unit, meaning] = derived[name as DerivedValue];
    return column(name, 'f64', unit, meaning, (frame, roi) => number(values.of(name as DerivedValue, frame, roi)));
  });
}

/** Columns that belong to the image, not to a ROI: its times and id, and what else is known of it. */
function frameColumns(sensors: readonly string[]): { identity: Filled[]; others: Filled[] } {
  const byName = new Map(sensors.map(sensor => [temperatureColumn(sensor), sensor]));
  const chip = (name: string, unit: string, meaning: string, axis: number): Filled =>
    column(name, 'f32', unit, meaning, ({ row }) => number(row.chipShift[axis]));
  return {
    identity: [
      column(
        'time_utc',
        'utc',
        '',
        'when the image was taken, UTC; empty where its time zone is not known',
        ({ row }) => number(row.utc),
      ),
      column('time_local', 'local', '', 'the same, as the clock at the camera showed it', ({ row }) =>
        number(row.local),
      ),
      column(
        'entry_id',
        'text',
        '',
        'the image in the manifest; the hash of an id of more than 40 bytes',
        ({ row }) => row.id,
      ),
    ],
    others: [
      ...[...byName].map(([name, sensor]) =>
        column(name, 'f32', '°C', `temperature of ${sensor}`, ({ row, sensors: own }) =>
          number(row.temperatures[own.findIndex(each => temperatureColumn(each) === name)]),
        ),
      ),
      chip('chip_dx', 'px', 'movement of the chip to the right since its reference image', 0),
      chip('chip_dy', 'px', 'movement of the chip down', 1),
      chip('chip_angle', 'degree', 'turn of the chip', 2),
    ],
  };
}

/** A row for each image and ROI. @param isChosen which labels */
export function longTable(
  frames: ChosenFrames,
  values: readonly RoiValue[],
  isChosen: (label: string) => boolean,
  options: DerivedOptions = { windowFrames: 15, zeros: new Map() },
): ExportTable {
  const { identity, others } = frameColumns(frames.sensors);
  const columns = [
    ...identity,
    column('roi', 'text', '', 'label of the ROI', ({ labels }, roi) => labels[roi] ?? null),
    column('method', 'text', '', 'analysis method', ({ method }) => method),
    ...roiColumns(values, options),
    ...others,
  ];
  return {
    columns,
    pieces: () =>
      inPieces(columns, frames, pieceRows, labels => labels.flatMap((label, roi) => (isChosen(label) ? [roi] : []))),
  };
}

/** Options of {@link wideTable}. */
export interface WideOptions extends DerivedOptions {
  /** Values with a flag that says that they may be those of something else stand in the table too. */
  withFlagged?: boolean;
}

/** Whether the value of a ROI may be that of something else. */
const isDistrusted = ({ row, flags }: ChosenFrame, roi: number): boolean =>
  flags.some((flag, bit) => ((row.flags[roi] ?? 0) >> bit) & 1 && distrustedFlags.has(flag));

/** A row for each image: each ROI has a column of its own for each value, `LABEL` where there is one value, else `LABEL.value`. */
export function wideTable(
  frames: ChosenFrames,
  values: readonly RoiValue[],
  isChosen: (label: string) => boolean,
  options: WideOptions = { windowFrames: 15, zeros: new Map() },
): ExportTable {
  const ofRoi = roiColumns(values, options);
  const { identity, others } = frameColumns(frames.sensors);
  const columns = [
    ...identity,
    ...others,
    ...frames.labels.filter(isChosen).flatMap(label => {
      const placeIn = placeOf(label);
      return ofRoi.map(
        ({ name, of, meaning, ...each }): Filled => ({
          ...each,
          name: values.length === 1 ? label : `${label}.${name}`,
          meaning: `${name.replace('_', ' ')} of ${label}: ${meaning}`,
          of: frame => {
            const roi = placeIn(frame.labels);
            if (roi < 0 || (name !== 'flags' && !options.withFlagged && isDistrusted(frame, roi))) return null;
            return of(frame, roi);
          },
        }),
      );
    }),
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
