import type { Files } from '../../files/files.ts';
import { localIso, parseIso, utcIso } from '../../model/localTime.ts';
import type { CloseHistory, CloseRequest, RoiHistory, RoiSample } from '../../model/roiHistory.ts';
import { fan } from './seriesLevels.ts';
import { SeriesReader, type SeriesSegment } from './seriesReader.ts';
import type { SeriesRow } from './seriesRow.ts';

/**
 * Of each level so many points are shown, the newest first: a chart of any span has some hundreds, and a long run takes few. With many ROIs they
 * are fewer: so many values of a level are in memory.
 */
const maxPoints = 800;
const fewestPoints = 16;
const valuesOfLevel = 280_000;

/** Points of a segment that are shown. */
interface Stretch {
  segment: SeriesSegment;
  level: number;
  from: number;
  to: number;
}

/** A point with what tells whose it is. */
interface Point {
  sample: RoiSample;
  /** Of an image by itself; else it is of several. */
  id: string | null;
  attempt: number;
}

/**
 * The series as charts show it: every image of the last ones, means of ever more images before these, to the beginning. Bounded; what was
 * read once is not read again.
 */
export class SeriesHistory {
  readonly #files: Files;
  readonly #folder: string;
  #reader: SeriesReader | null = null;
  /** Points that will not change, by their place. */
  #known = new Map<string, Point>();
  #labels: readonly string[] = [];
  #baseline = new Float64Array();
  #noFlags = new Uint16Array();
  /** What the baseline is from. */
  #beginning = '';

  /** @param folder `results/series`; it need not be there. */
  constructor(files: Files, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** Null: nothing new since the last look. One call at a time. @throws the file system's errors; it may be called again. */
  async look(): Promise<RoiHistory | null> {
    const before = this.#reader;
    const reader = await SeriesReader.look(this.#files, this.#folder, { before });
    if (before !== null && isSame(before, reader)) return null;
    await this.#lookAtBaseline(reader);
    const history = await this.#historyOf(reader, stretchesOf(reader.segments, this.#fitting(maxPoints)));
    this.#reader = reader;
    return history;
  }

  /**
   * A part of the past: as many samples as are asked for, or as are in memory of a level. It takes the place of what was read before: a value of
   * its own does that beside one that follows. One call at a time. @throws the file system's errors; it may be called again.
   */
  async between(request: CloseRequest): Promise<CloseHistory> {
    const reader = await SeriesReader.look(this.#files, this.#folder, { before: this.#reader });
    this.#reader = reader;
    await this.#lookAtBaseline(reader);
    const parts: Omit<Stretch, 'level'>[] = [];
    for (const segment of reader.segments) {
      // One image more to each side tells whether there is a gap.
      const from = Math.max(0, (await firstSince(segment, request.from)) - 1);
      const to = Math.min(segment.counts[0]!, (await firstSince(segment, request.to)) + 1);
      if (to > from) parts.push({ segment, from, to });
    }
    const images = parts.reduce((sum, { from, to }) => sum + to - from, 0);
    const level = Math.max(0, Math.ceil(Math.log(images / this.#fitting(request.points)) / Math.log(fan)));
    const size = fan ** level;
    const stretches = parts.map(({ segment, from, to }) => ({
      segment,
      level,
      from: Math.floor(from / size),
      to: Math.ceil(to / size),
    }));
    return { ...request, history: await this.#historyOf(reader, stretches) };
  }

  /** So many points of all ROIs, or as are in memory of a level. */
  #fitting(points: number): number {
    return Math.max(fewestPoints, Math.min(points, Math.floor(valuesOfLevel / this.#labels.length)));
  }

  async #historyOf(reader: SeriesReader, stretches: readonly Stretch[]): Promise<RoiHistory> {
    const shown: Point[] = [];
    const seen = new Map<string, Point>();
    const attempts = new Map<string, number>();
    for (const stretch of stretches) {
      for await (const { key, point } of this.#read(stretch)) {
        if (key !== null) seen.set(key, point);
        if (!Number.isNaN(point.sample.at)) shown.push(point);
        if (point.id !== null) attempts.set(point.id, Math.max(point.attempt, attempts.get(point.id) ?? 0));
      }
    }
    this.#known = seen;
    // Of an image that was analysed anew the newest attempt counts.
    const samples = shown.flatMap(({ sample, id, attempt }) =>
      id === null || attempt === attempts.get(id) ? [sample] : [],
    );
    samples.sort((a, b) => a.at - b.at);
    const flagNames = reader.segments.at(-1)?.layout.header.flags ?? [];
    return { labels: this.#labels, baseline: this.#baseline, samples, flagNames };
  }

  /** Labels and baseline stay the same values as long as they are. */
  async #lookAtBaseline(reader: SeriesReader): Promise<void> {
    const beginning = reader.segments.map(({ layout }) => layout.header.id).join();
    if (beginning === this.#beginning && !this.#baseline.some(Number.isNaN)) return;
    const first = await reader.firstValues(1);
    const labels = [...first.keys()];
    const baseline = Float64Array.from(first.values(), ([value = Number.NaN]) => value);
    const isSameBaseline =
      baseline.length === this.#baseline.length && baseline.every((of, i) => Object.is(of, this.#baseline[i]));
    if (beginning !== this.#beginning) {
      this.#known = new Map();
      this.#labels = labels;
    }
    if (beginning !== this.#beginning || !isSameBaseline) this.#baseline = baseline;
    this.#beginning = beginning;
  }

  async *#read({ segment, level, from, to }: Stretch): AsyncGenerator<{ key: string | null; point: Point }> {
    const { id } = segment.layout.header;
    const keyOf = (index: number): string => `${id}/${level}/${index}`;
    // What is known lies at the front: stretches move on.
    let unknown = from;
    for (; unknown < to; unknown++) {
      const point = this.#known.get(keyOf(unknown));
      if (!point) break;
      yield { key: keyOf(unknown), point };
    }
    for await (const { index, row } of segment.read(level, unknown, to)) {
      const sample = this.#sampleOf(row, segment);
      const point = { sample, id: level === 0 && row.id !== '' ? row.id : null, attempt: row.attempt };
      yield { key: segment.isWhole(level, index) ? keyOf(index) : null, point };
    }
  }

  #sampleOf(row: SeriesRow, { layout }: SeriesSegment): RoiSample {
    const { labels, sensors } = layout.header;
    const at = new Map(labels.map((label, i) => [label, i]));
    const from = this.#labels.map(label => at.get(label) ?? -1);
    /** A copy: the row has more than is kept. */
    const inOrder = <T extends Float32Array | Uint16Array>(values: ArrayLike<number>, into: T): T => {
      for (const [i, place] of from.entries()) into[i] = values[place] ?? Number.NaN;
      return into;
    };
    const floats = (values: ArrayLike<number>): Float32Array => inOrder(values, new Float32Array(from.length));
    const { spread } = row;
    const shifts = spread
      ? row.shifts.map((shift, i) => (Number.isNaN(shift) ? shift : spread.medians[i]!))
      : row.shifts;
    const readings = sensors.map((sensor, i) => [sensor, row.temperatures[i]!] as const);
    const temperatures = Object.fromEntries(readings.filter(([, value]) => !Number.isNaN(value)));
    const [dx, dy, angle] = row.chipShift as unknown as [dx: number, dy: number, angle: number];
    return {
      at: instantOf(row),
      frames: row.frames,
      lasted: row.frames === 1 ? 0 : (spread?.lasted[0] ?? null),
      positions: floats(row.positions),
      shifts: floats(shifts),
      shiftUncertainties: floats(row.shiftUncertainties),
      flags: row.flags.some(bits => bits > 0) ? inOrder(row.flags, new Uint16Array(from.length)) : this.#unflagged(),
      spread: spread && { lows: floats(spread.lows), highs: floats(spread.highs), all: spread.all.slice() },
      chipShift: [dx, dy, angle].some(Number.isNaN) ? null : { dx, dy, angle },
      temperatures,
    };
  }

  /** One for all samples without a flag: most have none. */
  #unflagged(): Uint16Array {
    if (this.#noFlags.length !== this.#labels.length) this.#noFlags = new Uint16Array(this.#labels.length);
    return this.#noFlags;
  }
}

function isSame(a: SeriesReader, b: SeriesReader): boolean {
  return (
    a.segments.length === b.segments.length &&
    a.segments.every(
      ({ counts, layout }, i) => counts[0] === b.segments[i]!.counts[0] && layout === b.segments[i]!.layout,
    )
  );
}

/** Newest first: of each level some points, and of the next what lies before them, back to the beginning. */
function stretchesOf(segments: readonly SeriesSegment[], pointsOfLevel: number): Stretch[] {
  const stretches: Stretch[] = [];
  let level = 0;
  let room = pointsOfLevel;
  for (const segment of segments.toReversed()) {
    for (let images = segment.counts[0]!; images > 0; ) {
      const to = Math.ceil(images / fan ** level);
      // It begins where a point of the next level does.
      const from = Math.floor(Math.max(0, to - room) / fan) * fan;
      stretches.push({ segment, level, from, to });
      images = from * fan ** level;
      room -= to - from;
      if (room > 0) continue;
      level++;
      room = pointsOfLevel;
    }
  }
  return stretches;
}

/** Index of the first image of a segment not older than a moment: images are about in the order of time. */
async function firstSince(segment: SeriesSegment, at: number): Promise<number> {
  let low = 0;
  let high = segment.counts[0]!;
  while (low < high) {
    const middle = (low + high) >> 1;
    // A damaged row says nothing: it counts as older.
    let isOlder = true;
    for await (const { row } of segment.read(0, middle, middle + 1)) isOlder = !(instantOf(row) >= at);
    if (isOlder) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** When a row was taken, ms since 1970 UTC. Where the clock at the camera was of another zone, its time is shown as it is. */
function instantOf({ local, utc }: SeriesRow): number {
  if (Number.isNaN(local)) return utc;
  const isHere = !Number.isNaN(utc) && Math.abs(parseIso(`${localIso(utc)}Z`) - local) < 1;
  return isHere ? utc : parseIso(utcIso(local).slice(0, -1));
}
