import type { SeriesReader } from './seriesReader.ts';
import type { SeriesRow } from './seriesRow.ts';

/** One image of the series, with the labels and sensors that its values stand in the order of. */
export interface ChosenFrame {
  row: SeriesRow;
  labels: readonly string[];
  sensors: readonly string[];
  /** Names of the bits of its flags, bit 0 first. */
  flags: readonly string[];
  method: string;
}

/** Images of a span of time, ms as the clock at the camera showed it, from `from` up to but without `end`. */
export interface FrameSpan {
  from: number;
  end: number;
}

/** The chosen images of a series, in order of time. */
export interface ChosenFrames {
  count: number;
  /** ms from each to the next. */
  intervals: () => Float64Array;
  /** As the clock at the camera showed them, ms as if in UTC; NaN without an image. */
  first: number;
  last: number;
  /** Analyses of images that were analysed anew later. */
  superseded: number;
  /** ROIs and sensors of these images, in order of their first appearance. */
  labels: readonly string[];
  sensors: readonly string[];
  methods: readonly string[];
  /** @param every one of so many, from the first on. */
  read(every?: number): AsyncGenerator<ChosenFrame>;
}

/** Where an image stands, and when it was taken. */
interface Place {
  segment: number;
  index: number;
  time: number;
}

/**
 * Chooses the images of a span; of an image that was analysed anew the newest attempt. Reads the rows to know their order, and again
 * to give them: some 100 bytes an image are in memory, whatever the image holds.
 *
 * @throws the file system's errors
 */
export async function chooseFrames(series: SeriesReader, span: FrameSpan): Promise<ChosenFrames> {
  const { again, ...chosen } = await look(series, span, new Map());
  // Seldom: who is superseded is known only after all rows were read.
  return again.size === 0 ? chosen : await look(series, span, again);
}

async function look(
  series: SeriesReader,
  { from, end }: FrameSpan,
  newest: ReadonlyMap<string, number>,
): Promise<ChosenFrames & { again: ReadonlyMap<string, number> }> {
  const places: Place[] = [];
  const labels = new Set<string>();
  const sensors = new Set<string>();
  const methods = new Set<string>();
  const again = new Map<string, number>();
  let [first, last, superseded] = [Number.NaN, Number.NaN, 0];
  for (const [at, segment] of series.segments.entries()) {
    const { header } = segment.layout;
    for await (const { index, row } of segment.read(0)) {
      const { id, attempt, local, utc } = row;
      // What was made from the table alone has no id.
      if (attempt > 1 && id !== '') again.set(id, Math.max(attempt, again.get(id) ?? 0));
      if (!(local >= from && local < end)) continue;
      if (attempt < (newest.get(id) ?? 0)) {
        superseded++;
        continue;
      }
      places.push({ segment: at, index, time: Number.isNaN(utc) ? local : utc });
      if (!(first <= local)) first = local;
      if (!(last >= local)) last = local;
      for (const label of header.labels) labels.add(label);
      for (const sensor of header.sensors) sensors.add(sensor);
      if (header.method !== null) methods.add(header.method);
    }
  }
  places.sort((a, b) => a.time - b.time);
  return {
    again,
    count: places.length,
    intervals: () => Float64Array.from(places.slice(1), ({ time }, i) => time - places[i]!.time),
    first,
    last,
    superseded,
    labels: [...labels],
    sensors: [...sensors],
    methods: [...methods],
    read: (every = 1) => readPlaces(series, every === 1 ? places : places.filter((_, i) => i % every === 0)),
  };
}

/** Neighbours in a file are read together. */
async function* readPlaces(series: SeriesReader, places: readonly Place[]): AsyncGenerator<ChosenFrame> {
  for (let i = 0; i < places.length; ) {
    const { segment: at, index: from } = places[i] as Place;
    let to = i + 1;
    while (to < places.length && places[to]!.segment === at && places[to]!.index === from + to - i) to++;
    const segment = series.segments[at]!;
    const { labels, sensors, flags, method } = segment.layout.header;
    for await (const { row } of segment.read(0, from, from + to - i)) {
      yield { row, labels, sensors, flags, method: method ?? '' };
    }
    i = to;
  }
}
