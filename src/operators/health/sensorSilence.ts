import type { TemperatureData } from '../../model/entry.ts';

interface Heard {
  /** Last reading, or the beginning: wall clock and monotonic clock, ms. */
  at: number;
  seenMs: number;
  /** The newest entry had no reading of it. */
  missing: boolean;
  /** What the newest entry without a reading said that gave a reason. */
  reason: string | null;
  /** The newest entry says that its temperature has been the same for too long. */
  isUnchanged: boolean;
}

export interface SilentSensor {
  sensor: string;
  /** Wall clock, ms since 1970 UTC. */
  since: number;
  reason: string | null;
}

/**
 * Finds sensors that give no temperature though frames come: the newest entry has none of theirs, and the last one is older
 * than it may be. Pure: the caller gives the time.
 */
export class SensorSilence {
  #longestMs = Number.POSITIVE_INFINITY;
  #sensors = new Map<string, Heard>();

  /** From now on each of these sensors gives a reading at least every `longestMs`; what is known of them stays. */
  begin(sensors: readonly string[], longestMs: number, at: number, seenMs: number): void {
    this.#longestMs = longestMs;
    const fresh = (): Heard => ({ at, seenMs, missing: false, reason: null, isUnchanged: false });
    this.#sensors = new Map(sensors.map(sensor => [sensor, this.#sensors.get(sensor) ?? fresh()]));
  }

  /** Takes what an entry holds. @param at wall clock now @param seenMs monotonic clock now */
  take(temperature: TemperatureData | null, at: number, seenMs: number): void {
    for (const [sensor, heard] of this.#sensors) {
      if (Number.isFinite(temperature?.data[sensor])) {
        const isUnchanged = temperature?.flags?.[sensor]?.includes('unchanged') ?? false;
        Object.assign(heard, { at, seenMs, missing: false, reason: null, isUnchanged });
      } else {
        heard.reason = temperature?.errors?.[sensor] ?? temperature?.error_message ?? heard.reason;
        heard.missing = true;
        heard.isUnchanged = false;
      }
    }
  }

  /** Sensors whose temperature has been the same for too long. */
  get unchanged(): string[] {
    return [...this.#sensors].filter(([, { isUnchanged }]) => isUnchanged).map(([sensor]) => sensor);
  }

  silent(seenMs: number): SilentSensor[] {
    return [...this.#sensors]
      .filter(([, heard]) => heard.missing && seenMs - heard.seenMs > this.#longestMs)
      .map(([sensor, { at, reason }]) => ({ sensor, since: at, reason }));
  }
}
