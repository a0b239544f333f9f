import type { Sensor, SensorError } from '../../model/sensor.ts';
import { missingOneWire, type OneWireDeps, openOneWire } from './oneWire.ts';
import { openSimulatedSensor } from './simulatedSensor.ts';

/**
 * The sensor of an id in `Temperature.thermocouple_sensors`: a 1-wire id is a thermometer on the bus, `simulated` (also `simulated-2` …)
 * one that is not there. So no simulated value ever stands under the name of a real sensor. A new kind of sensor is a file and a line here.
 */
export function openSensor(id: string, deviceRoot: string, deps: OneWireDeps): Sensor {
  if (isSimulatedSensor(id)) return openSimulatedSensor(id, deps.clock);
  return openOneWire(id, deviceRoot, deps);
}

export const isSimulatedSensor = (id: string): boolean => id.startsWith('simulated');

/** What is wrong with a sensor as far as can be seen without a measurement; null: nothing. */
export async function missingSensor(id: string, deviceRoot: string, deps: OneWireDeps): Promise<SensorError | null> {
  return isSimulatedSensor(id) ? null : missingOneWire(id, deviceRoot, deps);
}
