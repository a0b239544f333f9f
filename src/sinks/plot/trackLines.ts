/** A stretch of a track that is drawn as one line: pairs of time and value. */
export type Stretch = [time: number, value: number][];

/** Quiet times longer than this many usual distances between points, and than a fiftieth of the whole, are left blank. */
const quietDistances = 10;
const quietShare = 1 / 50;

/** Longest distance between two points that a line may bridge, ms. */
export function longestBridge(times: Float64Array): number {
  if (times.length < 3) return Number.POSITIVE_INFINITY;
  const distances = Float64Array.from(
    { length: times.length - 1 },
    (_, i) => (times[i + 1] as number) - (times[i] as number),
  );
  const usual = distances.sort()[distances.length >> 1] as number;
  const span = (times.at(-1) as number) - (times[0] as number);
  return Math.max(quietDistances * usual, quietShare * span);
}

/**
 * Cuts a track into the stretches that are drawn as lines: it breaks where a value is missing, and where nothing was
 * recorded for longer than `bridge` ms, for a line across would claim what nobody measured.
 */
export function trackLines(times: Float64Array, values: ArrayLike<number>, bridge: number): Stretch[] {
  const stretches: Stretch[] = [];
  let last: Stretch | null = null;
  for (let i = 0; i < times.length; i++) {
    const [time, value] = [times[i] as number, values[i] as number];
    if (!Number.isFinite(value)) {
      last = null;
      continue;
    }
    if (!last || time - (last.at(-1) as [number, number])[0] > bridge) stretches.push((last = []));
    last.push([time, value]);
  }
  return stretches;
}
