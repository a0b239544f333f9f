import { fan } from '../series/seriesLevels.ts';
import type { SeriesReader } from '../series/seriesReader.ts';
import type { SeriesRow } from '../series/seriesRow.ts';

/** Points of the plot at most. */
const maxPoints = 1024;
/** Values that a panel draws at most: time and memory grow with them. */
const maxDrawn = 300_000;
/** Points that are drawn however many ROIs there are: one to two or three pixels. */
const fewestPoints = 400;
/** A ROI's first values, whose mean its shift is measured from. */
const baselineValues = 3;

/** Values of one ROI or sensor at the times of {@link PlotData}; NaN where there is none. */
export interface PlotTrack {
  name: string;
  values: Float32Array;
  /** Its position in the reference, or before there is one the mean of its first values; NaN when it has none. */
  baseline: number;
  /** Of a ROI, from the reference, NaN where there was none yet; of one that never had any, and of a sensor, from its baseline. */
  shifts: Float32Array;
}

/** What is drawn: points in order of time, one value of each track a point. */
export interface PlotData {
  /** Time of each point's earliest image: a moment at which there was one, also where a point spans a pause. */
  times: Float64Array;
  /** How many images each point is the mean of. */
  images: Float64Array;
  /** Times of the earliest and the latest image of all; NaN before the first. */
  first: number;
  last: number;
  rois: readonly PlotTrack[];
  sensors: readonly PlotTrack[];
  /** Images taken in all. */
  frames: number;
  /** Images that a point stands for. */
  stride: number;
  method: string | null;
}

/**
 * The whole run in a bounded number of points, whatever its length: of the level of the series that has about as many, neighbours are merged
 * to their mean (a gap counts for nothing). A ROI or sensor that turns up later has gaps before. Of an image that was analysed anew the
 * newest attempt is shown while every image is a point of its own; the means have both until the series is made anew.
 */
export async function readPlotData(series: SeriesReader, most = pointsOf(series)): Promise<PlotData> {
  const level = series.levelFor(most);
  const place = axisClock();
  let points: { time: number; row: SeriesRow; labels: readonly string[]; sensors: readonly string[] }[] = [];
  let [first, last] = [Number.NaN, Number.NaN];
  const take = ({ row }: { row: SeriesRow }): number => {
    const time = place(row);
    if (!(first <= time)) first = time;
    if (!(last >= time)) last = time;
    return time;
  };
  for (const segment of series.segments) {
    const { labels, sensors } = segment.layout.header;
    for await (const point of segment.read(level)) {
      const time = take(point);
      if (Number.isNaN(time)) continue;
      points.push({ time, row: point.row, labels, sensors: sensors.map(shownSensor) });
    }
    // A point has the time of its first image: the last ones are looked at by themselves.
    for await (const point of segment.read(0, Math.max(0, segment.counts[0]! - fan ** Math.min(level, 3)))) take(point);
  }
  if (level === 0) {
    const attempts = new Map<string, number>();
    for (const { row } of points) attempts.set(row.id, Math.max(row.attempt, attempts.get(row.id) ?? 0));
    // What was made from the table alone has no id.
    points = points.filter(({ row }) => row.id === '' || row.attempt === attempts.get(row.id));
  }
  // Images are reported about, not exactly, in the order of their time.
  points.sort((a, b) => a.time - b.time);

  const tracks = (
    namesOf: (point: (typeof points)[number]) => readonly string[],
    valuesOf: (row: SeriesRow) => Float64Array | Float32Array,
    first: ReadonlyMap<string, readonly number[]>,
    shiftsOf: (row: SeriesRow) => Float32Array | null = () => null,
  ): PlotTrack[] => {
    const values = new Map<string, Float32Array>();
    const shifts = new Map<string, Float32Array>();
    for (const [i, point] of points.entries()) {
      const of = valuesOf(point.row);
      const moved = shiftsOf(point.row);
      for (const [k, name] of namesOf(point).entries()) {
        let track = values.get(name);
        if (!track) values.set(name, (track = new Float32Array(points.length).fill(Number.NaN)));
        track[i] = of[k]!;
        if (moved === null) continue;
        let shift = shifts.get(name);
        if (!shift) shifts.set(name, (shift = new Float32Array(points.length).fill(Number.NaN)));
        shift[i] = moved[k]!;
      }
    }
    return [...values].map(([name, track]) => {
      const moved = shifts.get(name) ?? new Float32Array(track.length).fill(Number.NaN);
      const baseline = baselineOf(first.get(name) ?? [], track);
      return {
        name,
        values: track,
        baseline,
        // Positions count from another zero: in a curve of shifts they stand in for none.
        shifts: moved.some(shift => !Number.isNaN(shift)) ? moved : track.map(value => value - baseline),
      };
    });
  };
  const named = new Map(
    series.segments.flatMap(({ layout }) => layout.header.sensors.map(name => [shownSensor(name), name])),
  );
  const data: PlotData = {
    times: Float64Array.from(points, ({ time }) => time),
    images: Float64Array.from(points, ({ row }) => row.frames),
    first,
    last,
    rois: tracks(
      ({ labels }) => labels,
      row => row.positions,
      // The first rows may be of attempts that count no more.
      level === 0 ? new Map() : await series.firstValues(baselineValues),
      row => row.shifts,
    ),
    sensors: tracks(
      ({ sensors }) => sensors,
      row => row.temperatures,
      new Map(),
    ).map(track => ({ ...track, name: named.get(track.name) ?? track.name })),
    frames: points.reduce((sum, { row }) => sum + row.frames, 0),
    stride: fan ** level,
    method: series.segments.at(-1)?.layout.header.method ?? null,
  };
  return thinPlotData(data, most);
}

function pointsOf({ segments }: SeriesReader): number {
  const labels = new Set(segments.flatMap(({ layout }) => layout.header.labels));
  return Math.min(maxPoints, Math.max(fewestPoints, Math.floor(maxDrawn / Math.max(1, labels.size))));
}

/** One name of a sensor, in whatever way a table or a series writes it. */
const shownSensor = (sensor: string): string => sensor.toLowerCase().replaceAll('_', ' ');

/** As the series has it; of the track where it has nothing. A ROI that was dark in the first images has its first points for it. */
function baselineOf(first: readonly number[], track: Float32Array): number {
  if (first.length > 0) return meanOf(first);
  const own = track.filter(value => !Number.isNaN(value));
  return own.length > 0 ? meanOf([...own.subarray(0, baselineValues)]) : Number.NaN;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Merges neighbouring points until there are at most `most`. */
export function thinPlotData(data: PlotData, most: number): PlotData {
  const { length } = data.times;
  if (length <= most) return data;
  const half = Math.ceil(length / 2);
  const { images } = data;
  /** First with second, third with fourth and so on; a last one without a neighbour stays as it is. */
  const pairs = <T extends Float32Array | Float64Array>(
    values: T,
    into: T,
    merge: (a: number, b: number, i: number) => number,
  ): T => {
    for (let i = 0; i < length; i += 2)
      into[i / 2] = i + 1 < length ? merge(values[i]!, values[i + 1]!, i) : values[i]!;
    return into;
  };
  const mean = (a: number, b: number, i: number): number => {
    if (Number.isNaN(a)) return b;
    return Number.isNaN(b) ? a : (a * images[i]! + b * images[i + 1]!) / (images[i]! + images[i + 1]!);
  };
  const thin = (tracks: readonly PlotTrack[]): PlotTrack[] =>
    tracks.map(track => ({
      ...track,
      values: pairs(track.values, new Float32Array(half), mean),
      shifts: pairs(track.shifts, new Float32Array(half), mean),
    }));
  const merged = {
    ...data,
    times: pairs(data.times, new Float64Array(half), (a, b) => Math.min(a, b)),
    images: pairs(images, new Float64Array(half), (a, b) => a + b),
    rois: thin(data.rois),
    sensors: thin(data.sensors),
    stride: data.stride * 2,
  };
  return thinPlotData(merged, most);
}

/** When an image was taken, as the series has it: what the clock at the camera showed, and UTC (NaN where its zone is unknown), ms. */
export interface AxisTime {
  local: number;
  utc: number;
}

/**
 * Where images stand on the plot's axis, milliseconds. The axis shows what the time stamp of the first image says, on every machine, and goes
 * on in that zone: an hour that comes twice in autumn stands there twice, one after the other, and the one that is missing in
 * spring is no gap. An image whose zone is unknown stands where its time says.
 */
export function axisClock(): (time: AxisTime) => number {
  let first: number | null = null;
  return ({ local, utc }) => {
    if (Number.isNaN(utc)) return local;
    const zone = local - utc;
    first ??= zone;
    return local - (zone - first);
  };
}
