/** A stretch of a track that is drawn as one line: pairs of time and value. */
export type Stretch = [time: number, value: number][];

/** Cuts a track into the stretches that are drawn as lines: it breaks where a value is missing, and at `gaps` (see `gapsBefore`). */
export function trackLines(times: Float64Array, values: ArrayLike<number>, gaps: Uint8Array): Stretch[] {
  const stretches: Stretch[] = [];
  let last: Stretch | null = null;
  for (let i = 0; i < times.length; i++) {
    const value = values[i] as number;
    if (gaps[i] === 1 || !Number.isFinite(value)) last = null;
    if (!Number.isFinite(value)) continue;
    if (!last) stretches.push((last = []));
    last.push([times[i] as number, value]);
  }
  return stretches;
}
