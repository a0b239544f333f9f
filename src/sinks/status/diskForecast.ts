import type { DiskSpace } from '../../files/diskSpace.ts';
import { utcIso } from '../../model/localTime.ts';
import type { DiskStatus } from '../../model/status.ts';

/** Samples that are kept, and the shortest time between two, ms: the last hour. */
const maxSamples = 60;
const sampleEveryMs = 60_000;
/** After so long without a sample the clock was set, or the machine slept: begins anew, ms. */
const longestGapMs = 10 * sampleEveryMs;
/** A disk that will be full later than this does not fill, ms. */
const longestForecastMs = 10 * 365.25 * 86_400_000;
/** A rate over less time than this says nothing, ms. */
const shortestSpanMs = 600_000;

/** Says when a disk will be full, from what was free in the last hour. Bounded. */
export class DiskForecast {
  #samples: { at: number; free: number }[] = [];

  /** Takes in what is free now. `at`: milliseconds since 1970 UTC; a clock that was set begins anew. */
  take({ free, size }: DiskSpace, at: number): DiskStatus {
    const last = this.#samples.at(-1);
    if (last && (at < last.at || at - last.at > longestGapMs)) this.#samples = [];
    const newest = this.#samples.at(-1);
    if (!newest || at - newest.at >= sampleEveryMs) {
      this.#samples = [...this.#samples, { at, free }].slice(-maxSamples);
    }
    const first = this.#samples[0]!;
    const span = at - first.at;
    const used = first.free - free;
    const leftMs = span >= shortestSpanMs && used > 0 ? (free * span) / used : Number.POSITIVE_INFINITY;
    return { free, size, full_at: leftMs <= longestForecastMs ? utcIso(at + leftMs) : null };
  }
}
