import { labelPatterns } from '../../model/labelPatterns.ts';
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
  /** Hash of the reference of its shifts; null where that is not known. */
  reference: string | null;
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
  /** Images of each reference that is known. */
  references: ReadonlyMap<string, number>;
  /** @param every one of so many, from the first on @param newest only so many of the last */
  read(every?: number, newest?: number): AsyncGenerator<ChosenFrame>;
}

/** Where an image stands, and when it was taken. */
interface Place {
  segment: number;
  index: number;
  time: number;
}

/**
 * Chooses the images of a span; of an image that was analysed anew the newest attempt. Reads the rows of the span to know their order, and again
 * to give them: some 100 bytes an image are in memory, whatever the image holds.
 *
 * @throws the file system's errors
 */
export async function chooseFrames(series: SeriesReader, span: FrameSpan): Promise<ChosenFrames> {
  const { again, ...chosen } = await look(series, span, new Map());
  // Seldom: who is superseded is known only after all rows were read.
  return again.size === 0 ? chosen : await look(series, span, again);
}

/** There is nothing to tell of: a sentence for whoever asked. */
export class NothingChosenError extends Error {
  /** There are results, but none of those that were asked for. */
  readonly isChoice: boolean;

  constructor(message: string, isChoice: boolean) {
    super(message);
    this.isChoice = isChoice;
  }
}

/**
 * The same, where there has to be something to choose.
 * @param rois patterns of labels; none: all
 * @throws NothingChosenError where no image, or the label of no ROI, is one of those asked for; the file system's errors
 */
export async function chooseSome(
  series: SeriesReader,
  span: FrameSpan,
  rois: readonly string[],
): Promise<ChosenFrames> {
  const frames = await chooseFrames(series, span);
  if (frames.count === 0) {
    const all = await chooseFrames(series, { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY });
    if (all.count === 0) throw new NothingChosenError('there is no result yet', false);
    const [first, last] = [all.first, all.last].map(time => new Date(time).toISOString().slice(0, 19));
    throw new NothingChosenError(`no image lies between the times asked for; they run from ${first} to ${last}`, true);
  }
  refuseNoRoi(rois, frames.labels);
  return frames;
}

/** @throws NothingChosenError where patterns fit none of some labels */
export function refuseNoRoi(rois: readonly string[], labels: readonly string[]): void {
  if (labels.some(labelPatterns(rois))) return;
  const [shown, more] = [labels.slice(0, 6).join(', '), labels.length > 6 ? ', …' : ''];
  throw new NothingChosenError(`no ROI fits ${rois.join(' ')}; their labels are ${shown}${more}`, true);
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
  const references = new Map<string, number>();
  const again = new Map<string, number>();
  let [first, last, superseded] = [Number.NaN, Number.NaN, 0];
  for (const [at, segment] of series.segments.entries()) {
    const { header } = segment.layout;
    for await (const { index, row } of segment.readSpan({ from, end })) {
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
      if (header.reference) references.set(header.reference, (references.get(header.reference) ?? 0) + 1);
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
    references,
    read: (every = 1, newest = places.length) =>
      readPlaces(
        series,
        places.slice(-newest).filter((_, i) => i % every === 0),
      ),
  };
}

/** Neighbours in a file are read together. */
async function* readPlaces(series: SeriesReader, places: readonly Place[]): AsyncGenerator<ChosenFrame> {
  for (let i = 0; i < places.length; ) {
    const { segment: at, index: from } = places[i] as Place;
    let to = i + 1;
    while (to < places.length && places[to]!.segment === at && places[to]!.index === from + to - i) to++;
    const segment = series.segments[at]!;
    const { labels, sensors, flags, method, reference } = segment.layout.header;
    for await (const { row } of segment.read(0, from, from + to - i)) {
      yield { row, labels, sensors, flags, method: method ?? '', reference: reference ?? null };
    }
    i = to;
  }
}
