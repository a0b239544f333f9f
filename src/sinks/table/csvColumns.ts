import { type AnalysisMethod, methodParameters } from '../../model/method.ts';
import type { ParameterStatistics, ResultLine, RoiResult } from '../../model/result.ts';

const first = ['timestamp', 'ROI-label', 'Analysis-method'];
const last = ['position', 'uncertainty', 'flags'];
/** Behind `last` in every new segment; tables of earlier versions end without them. The shift comes with a later version. */
const added = ['shift', 'shift_uncertainty', 'image_filename'];
export const temperaturePrefix = 'temperature_';

/** A column's name for a sensor: lower case, spaces as `_`. */
export function temperatureColumn(sensor: string): string {
  return `${temperaturePrefix}${sensor.toLowerCase().replaceAll(' ', '_')}`;
}

/** Columns of a table in which every one of these sensors has one. */
export function csvColumns(method: AnalysisMethod, sensors: readonly string[]): string[] {
  return [...first, ...methodParameters[method], ...new Set(sensors.map(temperatureColumn)), ...last, ...added];
}

/** ROIs of a result line; none for an image whose analysis failed. */
export function roisOf(result: ResultLine): RoiResult[] {
  return result.processing_successful && result.image_analysis ? (result.image_analysis.slice(1) as RoiResult[]) : [];
}

/**
 * Whether a result's rows can stand under these columns: they are of its method, and there is one for each of its sensors.
 * A sensor that is silent this time leaves its cell empty; it does not change the table.
 */
export function columnsFit(columns: readonly string[], result: ResultLine, method: AnalysisMethod): boolean {
  if (!first.every((name, i) => columns[i] === name)) return false;
  const tail = hasFilename(columns) ? [...last, ...added] : last;
  if (!tail.every((name, i) => columns[columns.length - tail.length + i] === name)) return false;
  const middle = columns.slice(first.length, -tail.length);
  const parameters = middle.filter(name => !name.startsWith(temperaturePrefix));
  if (parameters.join() !== methodParameters[method].join()) return false;
  return Object.keys(result.temperature_readings ?? {}).every(sensor => middle.includes(temperatureColumn(sensor)));
}

/** False for a table of an earlier version, which is read as it is and goes on in a segment with all columns. */
export const hasFilename = (columns: readonly string[]): boolean => columns.at(-1) === 'image_filename';

export type CsvCell = string | number | null;

/** The rows of a result, one a ROI, under given columns. What was not measured is null. */
export function csvCells(columns: readonly string[], result: ResultLine): CsvCell[][] {
  const temperatures = new Map<string, number | null>();
  for (const [sensor, value] of Object.entries(result.temperature_readings ?? {})) {
    temperatures.set(temperatureColumn(sensor), value);
  }
  return roisOf(result).map(roi =>
    columns.map(column => {
      switch (column) {
        case 'timestamp':
          return result.image_timestamp ?? result.manifest_entry_timestamp;
        case 'flags':
          return roi.flags.join(';');
        case 'image_filename':
          return result.image_filename;
        case 'ROI-label':
        case 'Analysis-method':
        case 'position':
        case 'uncertainty':
        case 'shift':
        case 'shift_uncertainty':
          return roi[column] ?? null;
        default:
          return column.startsWith(temperaturePrefix)
            ? (temperatures.get(column) ?? null)
            : ((roi[column] as ParameterStatistics | null | undefined)?.Median ?? null);
      }
    }),
  );
}
