/**
 * A temperature sensor.
 *
 * Contract: `read` measures once and resolves with what the sensor says, or rejects with a {@link SensorError}; any other error is one
 * of reading. It may take long and may never return: whoever calls it has a deadline, and does not call it again before it has returned.
 * Aborted, it begins nothing new. There is nothing to close.
 */
export interface Sensor {
  read(signal: AbortSignal): Promise<RawReading>;
}

/** What a sensor says, before it is judged by what was read earlier and by other sensors. */
export interface RawReading {
  celsius: number;
  /** Why it may be no temperature at all, though it could be one: it counts only near an earlier value or another sensor's. */
  doubt?: SensorError;
  /** The sensor itself says that it has not measured since it got power. */
  isUnmeasured?: true;
}

/**
 * What is wrong with a sensor:
 * `bus` no 1-wire bus · `gone` it is not there · `driver` no thermometer for the system · `empty`, `zeros`, `range`, `power_on` what it
 * says is no temperature · `checksum` the line is disturbed · `ghost` it never existed · `unreadable` the system can't read it · `hangs`
 * it does not answer · `late` not finished yet.
 */
export type SensorTrouble =
  | 'bus'
  | 'gone'
  | 'driver'
  | 'empty'
  | 'zeros'
  | 'range'
  | 'power_on'
  | 'checksum'
  | 'ghost'
  | 'unreadable'
  | 'hangs'
  | 'late';

/** Why there is no temperature. The message does not name the sensor: who asks knows its name. */
export class SensorError extends Error {
  override readonly name = 'SensorError';
  readonly trouble: SensorTrouble;

  constructor(trouble: SensorTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.trouble = trouble;
  }
}
