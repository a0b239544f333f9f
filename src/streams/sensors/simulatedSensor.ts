import type { Clock } from '../../model/clock.ts';
import type { Sensor } from '../../model/sensor.ts';

/** What the sensor of a room does: a slow rise and fall about a mean, °C and ms. */
const mean = 21.5;
const swing = 0.5;
const periodMs = 300_000;
/** Steps of a DS18B20, °C. */
const step = 0.0625;

/** A sensor that is not there: the temperature of a room, by the clock. Each id has a mean of its own. */
export function openSimulatedSensor(id: string, clock: Clock): Sensor {
  const own = [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 16;
  return {
    read: async () => {
      const celsius = mean + own / 8 + swing * Math.sin((2 * Math.PI * clock.now()) / periodMs);
      return { celsius: Math.round(celsius / step) * step };
    },
  };
}
