import type { TemperatureFlag } from '../../model/entry.ts';
import type { RawReading } from '../../model/sensor.ts';

/** What is remembered of a sensor: its last temperature, and since when it is the same; ms of the monotonic clock. */
export interface LastValue {
  celsius: number;
  atMs: number;
  sameSinceMs: number;
}

export interface JudgedReading {
  celsius: number;
  flags: TemperatureFlag[];
  last: LastValue;
}

/** A doubtful value is believed so near to an earlier one or another sensor's, °C. */
const near = 15;
/** An earlier value says nothing any more after so long, ms. */
const rememberedMs = 3_600_000;

export interface JudgeOptions {
  /** Null: there is none yet. */
  last: LastValue | null;
  /** What the other sensors say now, °C. */
  neighbours: readonly number[];
  /** The same value for longer is flagged, ms; 0: never. */
  longestUnchangedMs: number;
  /** Monotonic clock now, ms. */
  nowMs: number;
}

/**
 * Judges a reading by what the sensor said before and by its neighbours. A doubtful value (85 °C may be real) counts near one of them. Pure.
 * @throws SensorError the doubt, when nothing speaks for the value.
 */
export function judgeReading(reading: RawReading, options: JudgeOptions): JudgedReading {
  const { celsius, doubt, isUnmeasured } = reading;
  const { last, neighbours, longestUnchangedMs, nowMs } = options;
  const before = last && nowMs - last.atMs <= rememberedMs ? last : null;
  if (doubt) {
    const isNear = [...(before ? [before.celsius] : []), ...neighbours].some(
      other => Math.abs(other - celsius) <= near,
    );
    if (!isNear) throw doubt;
  }
  const sameSinceMs = before?.celsius === celsius ? before.sameSinceMs : nowMs;
  const isUnchanged = longestUnchangedMs > 0 && nowMs - sameSinceMs >= longestUnchangedMs;
  return {
    celsius,
    flags: [...(isUnmeasured ? ['power_on' as const] : []), ...(isUnchanged ? ['unchanged' as const] : [])],
    last: { celsius, atMs: nowMs, sameSinceMs },
  };
}
