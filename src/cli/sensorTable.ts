import type { SensorError } from '../model/sensor.ts';

/** A sensor as `find sensors` shows it. */
export interface SensorRow {
  id: string;
  /** Null: it has none yet. */
  name: string | null;
  /** Null: not read yet. */
  reading: { celsius: number } | { error: SensorError } | null;
  /** Its first temperature, °C; null while there is none. */
  first: number | null;
}

/** A finger warms a sensor by more, °C. */
const warmed = 0.75;

/** The table of the sensors, a line each, with a mark at the one that has become warmer than all others. Pure. */
export function sensorTable(rows: readonly SensorRow[]): string[] {
  const width = (texts: readonly string[]): number => Math.max(...texts.map(text => text.length));
  const names = rows.map(({ name }) => name ?? '(no name)');
  const changes = rows.map(changeOf);
  const most = Math.max(...changes.map(change => change ?? Number.NEGATIVE_INFINITY));
  return rows.map(({ id, reading }, i) => {
    const change = changes[i] ?? null;
    const what =
      reading === null
        ? 'is being read'
        : 'error' in reading
          ? `no temperature: ${reading.error.message}`
          : `${reading.celsius.toFixed(2).padStart(7)} °C  ${signed(change ?? 0).padStart(6)}`;
    const mark = change !== null && change >= warmed && change === most ? '  <- warmer' : '';
    return `${String(i + 1).padStart(2)}  ${id.padEnd(width(rows.map(row => row.id)))}  ${(names[i] as string).padEnd(width(names))}  ${what}${mark}`;
  });
}

/** How much warmer it is than at first, °C. */
export function changeOf({ reading, first }: SensorRow): number | null {
  return reading && 'celsius' in reading && first !== null ? reading.celsius - first : null;
}

const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(2)}`;
