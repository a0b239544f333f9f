import { expect, it } from 'vitest';
import type { Clock } from '../../../src/model/clock.ts';
import { type Sensor, SensorError, type SensorTrouble } from '../../../src/model/sensor.ts';

export interface SensorUnderTest {
  open(clock: Clock): Sensor;
  /** What it shall give, °C; null: whatever its kind gives. */
  celsius: number | null;
  /** How it can be brought into trouble, and what it calls that. A sensor without hardware has none. */
  faults: readonly { title: string; trouble: SensorTrouble; begin: () => void }[];
  /** Well again. */
  mend(): void;
  /** From now on a reading does not return before it is let go. Absent: it has nothing that could hang. */
  hang?: () => () => void;
}

/** What every sensor promises; `make` gives one that is well. */
export function describeSensor(make: () => SensorUnderTest): void {
  const clock: Clock = { now: () => 1e12, monotonic: () => performance.now() };
  const signal = new AbortController().signal;

  it('gives a temperature each time that it is asked', async () => {
    const { open, celsius } = make();
    const sensor = open(clock);
    for (let i = 0; i < 3; i++) {
      const reading = await sensor.read(signal);
      expect(reading.celsius).toEqual(celsius ?? expect.closeTo(20, -2));
      expect(reading.doubt).toBeUndefined();
    }
  });

  it('gives two that ask at once each an answer', async () => {
    const { open, celsius } = make();
    const sensor = open(clock);
    const readings = await Promise.all([sensor.read(signal), sensor.read(signal)]);
    for (const reading of readings) expect(reading.celsius).toEqual(celsius ?? expect.any(Number));
  });

  for (const { title, trouble } of make().faults) {
    it(`says what is wrong, and gives temperatures again once it is mended: ${title}`, async () => {
      const sensor = make();
      const opened = sensor.open(clock);
      sensor.faults.find(fault => fault.title === title)!.begin();
      const error: unknown = await opened.read(signal).then(
        ({ doubt }) => doubt,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(SensorError);
      expect((error as SensorError).trouble).toBe(trouble);
      sensor.mend();
      expect((await opened.read(signal)).celsius).toEqual(sensor.celsius ?? expect.any(Number));
    });
  }

  it('begins nothing more once it was told to give up in the middle of a reading', async () => {
    const sensor = make();
    const letGo = sensor.hang?.();
    const stop = new AbortController();
    const reading = sensor.open(clock).read(stop.signal);
    stop.abort();
    letGo?.();
    await reading.catch(() => undefined);
    sensor.mend();
    expect((await sensor.open(clock).read(signal)).celsius).toEqual(sensor.celsius ?? expect.any(Number));
  });
}
