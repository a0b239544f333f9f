import type { Clock } from '../../model/clock.ts';
import type { TemperatureData, TemperatureFlag } from '../../model/entry.ts';
import { localIso } from '../../model/localTime.ts';
import { duration } from '../../model/quantity.ts';
import { type Sensor, SensorError } from '../../model/sensor.ts';
import { judgeReading, type LastValue } from './judgeReading.ts';

export interface SensorSettings {
  /** Folder of the 1-wire devices. */
  deviceRoot: string;
  /** Names by id, in the order in which the sensors are read. */
  sensors: Readonly<Record<string, string>>;
  /** The same value for longer is flagged, ms; 0: never. */
  longestUnchangedMs: number;
}

export const noSensors: SensorSettings = { deviceRoot: '', sensors: {}, longestUnchangedMs: 0 };

export interface SensorReaderDeps {
  clock: Clock;
  open(id: string, deviceRoot: string): Sensor;
}

/** What came of the newest reading of a sensor. */
export type SensorReading = {
  /** Monotonic clock, ms. */
  startedMs: number;
  /** Wall clock when it was over, ms since 1970 UTC. */
  at: number;
} & ({ celsius: number; flags: readonly TemperatureFlag[] } | { error: SensorError });

/** A sensor has so long for a reading, ms: the system's own attempts on a disturbed line take 4 s. */
const deadlineMs = 10_000;
/** Each reading that hangs holds one of the four threads that all file work of the process shares. */
const maxHanging = 2;
/** What other sensors have said counts for so long, ms. */
const neighbourMs = 60_000;

interface State {
  sensor: Sensor;
  newest: SensorReading | null;
  last: LastValue | null;
}

/**
 * Reads sensors one after another, as they are on one line, and remembers what each said last.
 *
 * A reading that fails is that sensor's: the others are read all the same. One that does not return in time is left behind; that sensor is
 * not read again before it has returned, and with {@link maxHanging} of them none is. What returns late counts for nothing.
 */
export class SensorReader {
  readonly #deps: SensorReaderDeps;
  #settings = noSensors;
  #states = new Map<string, State>();
  /** What is read in vain: `device_root` and id, and since when, monotonic ms. */
  readonly #hanging = new Map<string, number>();
  #round: Promise<void> | null = null;
  #roundMs: number | null = null;

  constructor(deps: SensorReaderDeps) {
    this.#deps = deps;
  }

  /** Duration of the last round, ms; until one is over, what is to be expected of it. */
  get roundMs(): number {
    return this.#roundMs ?? 1000 * this.#states.size;
  }

  /** Reads these sensors from now on. What is known of those that stay stays, also under other names. */
  use(settings: SensorSettings): void {
    const isElsewhere = settings.deviceRoot !== this.#settings.deviceRoot;
    const before = isElsewhere ? new Map<string, State>() : this.#states;
    this.#states = new Map(
      Object.keys(settings.sensors).map(id => [
        id,
        before.get(id) ?? { sensor: this.#deps.open(id, settings.deviceRoot), newest: null, last: null },
      ]),
    );
    this.#settings = settings;
  }

  /** Reads every sensor once; while a round is on its way it is that one. Never rejects. */
  readAll(signal: AbortSignal): Promise<void> {
    this.#round ??= this.#readAll(signal).finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const startedMs = clock.monotonic();
    for (const [id, state] of this.#states) {
      if (signal.aborted) return;
      // Its settings may have gone meanwhile.
      if (this.#states.get(id) === state) await this.#readOne(id, state, signal);
    }
    this.#roundMs = clock.monotonic() - startedMs;
  }

  async #readOne(id: string, state: State, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const startedMs = clock.monotonic();
    const { longestUnchangedMs } = this.#settings;
    try {
      const reading = await this.#inTime(id, state.sensor, signal);
      const nowMs = clock.monotonic();
      const neighbours = [...this.#states.values()].flatMap(other => {
        const { last } = other;
        return other !== state && last && nowMs - last.atMs <= neighbourMs ? [last.celsius] : [];
      });
      const { last, ...judged } = judgeReading(reading, { last: state.last, neighbours, longestUnchangedMs, nowMs });
      state.last = last;
      state.newest = { startedMs, at: clock.now(), ...judged };
    } catch (thrown) {
      if (signal.aborted) return;
      const error = thrown instanceof SensorError ? thrown : new SensorError('unreadable', String(thrown));
      state.newest = { startedMs, at: clock.now(), error };
    }
  }

  async #inTime(id: string, sensor: Sensor, signal: AbortSignal) {
    const { clock } = this.#deps;
    const key = `${this.#settings.deviceRoot}/${id}`;
    const since = this.#hanging.get(key);
    if (since !== undefined) {
      const wait = duration(clock.monotonic() - since);
      throw new SensorError('hangs', `it has not answered for ${wait}: pull its plug and put it in again, or restart`);
    }
    if (this.#hanging.size >= maxHanging) {
      throw new SensorError('hangs', `it is not read while ${this.#hanging.size} other sensors do not answer`);
    }
    const { promise: given, reject } = Promise.withResolvers<never>();
    const giveUp = new AbortController();
    const stop = (error: unknown): void => {
      giveUp.abort();
      reject(error);
    };
    const startedMs = clock.monotonic();
    const begun = sensor.read(AbortSignal.any([signal, giveUp.signal]));
    const timer = setTimeout(() => {
      const why = `it does not answer within ${duration(deadlineMs)}: is its line disturbed, or its driver stuck?`;
      stop(new SensorError('hangs', why));
    }, deadlineMs);
    const onAbort = (): void => stop(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#hanging.set(key, startedMs);
    void begun.catch(() => undefined).finally(() => this.#hanging.delete(key));
    try {
      return await Promise.race([begun, given]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** A reading does not come back. */
  get hangs(): boolean {
    return this.#hanging.size > 0;
  }

  /** What every sensor said last, in the order of the settings; null before its first reading. */
  get newest(): { id: string; name: string; reading: SensorReading | null }[] {
    return [...this.#states].map(([id, { newest }]) => ({ id, name: this.#settings.sensors[id]!, reading: newest }));
  }

  /**
   * What the sensors say now, as an entry keeps it: the newest reading of each that began at `sinceMs` (monotonic) or later. What is older
   * counts for nothing, and says so.
   */
  temperatureSince(sinceMs: number): TemperatureData {
    const data: Record<string, number | null> = {};
    const errors: Record<string, string> = {};
    const flags: Record<string, TemperatureFlag[]> = {};
    const messages: string[] = [];
    let at = Number.POSITIVE_INFINITY;
    for (const [id, { newest }] of this.#states) {
      const name = this.#settings.sensors[id]!;
      const reading = newest && newest.startedMs >= sinceMs ? newest : { error: late(newest !== null) };
      if ('error' in reading) {
        data[name] = null;
        errors[name] = `${id}: ${reading.error.message}`;
        messages.push(`${name} (${id}): ${reading.error.message}`);
      } else {
        data[name] = reading.celsius;
        if (reading.flags.length > 0) flags[name] = [...reading.flags];
        at = Math.min(at, reading.at);
      }
    }
    return {
      type: 'temperature',
      timestamp_iso: localIso(Number.isFinite(at) ? at : this.#deps.clock.now()),
      data,
      error_flag: messages.length > 0,
      error_message: messages.length > 0 ? messages.join('; ') : null,
      ...(messages.length > 0 ? { errors } : {}),
      ...(Object.keys(flags).length > 0 ? { flags } : {}),
    };
  }
}

const late = (isOld: boolean): SensorError =>
  new SensorError('late', isOld ? 'its new reading is not finished' : 'its first reading is not finished');
