import { crc32 } from 'node:zlib';
import type { SegmentPosition } from '../../files/segmentedFile.ts';
import type { AxisOrigin } from './axisClock.ts';
import { meanOfPresent, mergePairs } from './mergePairs.ts';

const magic = 'phorest-plot-series-1';
/** A ROI's first values, whose mean its shift is measured from. */
const baselineValues = 3;

/** One image as the plot sees it. */
export interface PlotFrame {
  /** Milliseconds on the plot's axis; see AxisClock. */
  time: number;
  /** Position of each ROI in pixels; null where there is none. */
  positions: Iterable<readonly [label: string, position: number | null]>;
  /** Degrees Celsius by sensor. */
  temperatures: Iterable<readonly [sensor: string, value: number | null]>;
}

/** Values of one ROI or sensor at the times of {@link PlotData}; NaN where there is none. */
export interface PlotTrack {
  name: string;
  values: Float32Array;
  /** Mean of its first values; NaN when it has none. */
  baseline: number;
}

/** What is drawn: points in order of time, one value of each track a point. */
export interface PlotData {
  /** Time of each point's earliest image: a moment at which there was one, also where a point spans a pause. */
  times: Float64Array;
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

interface Track {
  values: Float32Array;
  baselineSum: number;
  baselineCount: number;
  /** Sum and number of the values in the point that is being filled. */
  sum: number;
  count: number;
}

/**
 * The run's positions and temperatures against time in bounded memory: at most `capacity` points, whatever its length.
 *
 * A point is the mean of `stride` images. When all points are full, neighbours are merged to their mean (a gap counts for
 * nothing) and `stride` doubles; so a long run is shown evenly. A ROI or sensor that turns up later has gaps before.
 * `bytes` and `PlotSeries.from` carry it over a restart, with the place in the CSV that it has taken in.
 */
export class PlotSeries {
  readonly capacity: number;
  /** End of the CSV rows that are in; null before the first. */
  position: SegmentPosition | null = null;
  method: string | null = null;
  /** The zone of the axis; see AxisClock. */
  origin: AxisOrigin = { utc: null, machine: null };
  #times: Float64Array;
  #count = 0;
  #stride = 1;
  #frames = 0;
  #openFrames = 0;
  #openTime = Number.POSITIVE_INFINITY;
  #first = Number.NaN;
  #last = Number.NaN;
  #rois = new Map<string, Track>();
  #sensors = new Map<string, Track>();

  /** @param capacity most points; an even number. */
  constructor(capacity = 1024) {
    if (capacity < 2 || capacity % 2 !== 0)
      throw new RangeError(`capacity must be even and at least 2, not ${capacity}`);
    this.capacity = capacity;
    this.#times = new Float64Array(capacity);
  }

  add({ time, positions, temperatures }: PlotFrame): void {
    this.#openFrames++;
    this.#frames++;
    this.#openTime = Math.min(this.#openTime, time);
    if (!(this.#first <= time)) this.#first = time;
    if (!(this.#last >= time)) this.#last = time;
    for (const [label, value] of positions) this.#put(this.#rois, label, value);
    for (const [sensor, value] of temperatures) this.#put(this.#sensors, sensor, value);
    if (this.#openFrames === this.#stride) this.#closePoint();
  }

  data(): PlotData {
    const open = this.#openFrames > 0 ? 1 : 0;
    const length = this.#count + open;
    const times = this.#times.slice(0, length);
    if (open) times[this.#count] = this.#openTime;
    // Images are reported about, not exactly, in the order of their time.
    const order = Uint32Array.from(times.keys()).sort((a, b) => (times[a] as number) - (times[b] as number));
    const tracks = (of: Map<string, Track>): PlotTrack[] =>
      [...of].map(([name, track]) => ({
        name,
        values: Float32Array.from(order, i =>
          i < this.#count ? (track.values[i] as number) : track.sum / track.count,
        ),
        baseline: track.baselineSum / track.baselineCount,
      }));
    return {
      times: Float64Array.from(order, i => times[i] as number),
      rois: tracks(this.#rois),
      sensors: tracks(this.#sensors),
      first: this.#first,
      last: this.#last,
      frames: this.#frames,
      stride: this.#stride,
      method: this.method,
    };
  }

  #put(tracks: Map<string, Track>, name: string, value: number | null): void {
    let track = tracks.get(name);
    if (!track) {
      track = {
        values: new Float32Array(this.capacity).fill(Number.NaN),
        baselineSum: 0,
        baselineCount: 0,
        sum: 0,
        count: 0,
      };
      tracks.set(name, track);
    }
    if (value === null || !Number.isFinite(value)) return;
    track.sum += value;
    track.count++;
    if (track.baselineCount < baselineValues) {
      track.baselineSum += value;
      track.baselineCount++;
    }
  }

  *#tracks(): Iterable<Track> {
    yield* this.#rois.values();
    yield* this.#sensors.values();
  }

  #closePoint(): void {
    this.#times[this.#count] = this.#openTime;
    for (const track of this.#tracks()) {
      track.values[this.#count] = track.sum / track.count;
      track.sum = 0;
      track.count = 0;
    }
    this.#openFrames = 0;
    this.#openTime = Number.POSITIVE_INFINITY;
    if (++this.#count === this.capacity) this.#halve();
  }

  #halve(): void {
    const half = this.capacity / 2;
    mergePairs(this.#times, this.#times, Math.min);
    for (const { values } of this.#tracks()) {
      mergePairs(values, values, meanOfPresent);
      values.fill(Number.NaN, half);
    }
    this.#count = half;
    this.#stride *= 2;
  }

  /** All of it, for {@link PlotSeries.from}: a line of JSON, then the numbers; with a checksum. */
  bytes(): Uint8Array {
    const describe = (tracks: Map<string, Track>) =>
      [...tracks].map(([name, { baselineSum, baselineCount, sum, count }]) => ({
        name,
        baselineSum,
        baselineCount,
        sum,
        count,
      }));
    const numbers = Buffer.concat(
      [
        this.#times.subarray(0, this.#count),
        ...[...this.#tracks()].map(({ values }) => values.subarray(0, this.#count)),
      ].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
    );
    const head = JSON.stringify({
      capacity: this.capacity,
      position: this.position,
      method: this.method,
      origin: this.origin,
      count: this.#count,
      stride: this.#stride,
      frames: this.#frames,
      openFrames: this.#openFrames,
      openTime: this.#openFrames > 0 ? this.#openTime : null,
      first: this.#frames > 0 ? this.#first : null,
      last: this.#frames > 0 ? this.#last : null,
      rois: describe(this.#rois),
      sensors: describe(this.#sensors),
    });
    const check = crc32(numbers, crc32(head));
    return Buffer.concat([Buffer.from(`${magic} ${check}\n${head}\n`), numbers]);
  }

  /** @throws Error when these are not the bytes of a series, or damaged: it has to be made anew from the CSV. */
  static from(bytes: Uint8Array): PlotSeries {
    const buffer = Buffer.from(bytes);
    const first = buffer.indexOf('\n');
    const second = buffer.indexOf('\n', first + 1);
    const [name, check] = buffer.subarray(0, Math.max(0, first)).toString().split(' ');
    if (name !== magic || second < 0) throw new Error('it is not a plot series');
    const headBytes = buffer.subarray(first + 1, second);
    const numbers = buffer.subarray(second + 1);
    if (crc32(numbers, crc32(headBytes)) !== Number(check)) throw new Error('its checksum is wrong');
    const head = JSON.parse(headBytes.toString());
    const series = new PlotSeries(head.capacity);
    series.position = head.position;
    series.method = head.method;
    series.origin = head.origin ?? series.origin;
    series.#count = head.count;
    series.#stride = head.stride;
    series.#frames = head.frames;
    series.#openFrames = head.openFrames;
    series.#openTime = head.openTime ?? Number.POSITIVE_INFINITY;
    series.#first = head.first ?? Number.NaN;
    series.#last = head.last ?? Number.NaN;
    let at = 0;
    const fill = (values: Float32Array | Float64Array): void => {
      const length = head.count * values.BYTES_PER_ELEMENT;
      Buffer.from(values.buffer).set(numbers.subarray(at, at + length));
      at += length;
    };
    fill(series.#times);
    for (const [tracks, described] of [
      [series.#rois, head.rois],
      [series.#sensors, head.sensors],
    ] as const) {
      for (const { name: trackName, ...rest } of described) {
        const values = new Float32Array(head.capacity).fill(Number.NaN);
        fill(values);
        tracks.set(trackName, { values, ...rest });
      }
    }
    return series;
  }
}
