import type { Config } from '../config/schema.ts';
import { nodeFiles } from '../files/files.ts';
import { asError } from '../model/asError.ts';
import type { CheckFinding } from '../model/checkFinding.ts';
import { systemClock } from '../model/clock.ts';
import { duration, number } from '../model/quantity.ts';
import { openSensor } from '../streams/sensors/openSensor.ts';

/** A sensor measures in 0.75 s, and some times that on a disturbed line; one that takes longer hangs, ms. */
const sensorMs = 10_000;

/** Reads each sensor of the configuration once. `isStuck`: one does not come back, which would keep the process for good. */
export async function checkSensors(
  { Services, Temperature }: Config,
  open: typeof openSensor = openSensor,
  patienceMs = sensorMs,
): Promise<{ findings: CheckFinding[]; isStuck: boolean }> {
  if (!Services.enable_thermocouple) {
    return {
      findings: [{ level: 'ok', about: 'sensors', message: 'none is read: Services.enable_thermocouple is off' }],
      isStuck: false,
    };
  }
  const sensors = Object.entries(Temperature.thermocouple_sensors);
  let isStuck = false;
  const findings: CheckFinding[] = [];
  // One after the other: they are on one line.
  for (const [id, name] of sensors) {
    const about = `${name} (${id})`;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      isStuck = true;
      reject(
        new Error(
          `it has not answered for ${duration(patienceMs)}: its driver hangs; pull the sensor's plug, and start the machine anew`,
        ),
      );
    }, patienceMs);
    try {
      const sensor = open(id, Temperature.device_root, { files: nodeFiles, clock: systemClock });
      const { celsius, doubt } = await Promise.race([sensor.read(AbortSignal.timeout(patienceMs)), late]);
      findings.push({ level: doubt ? 'warning' : 'ok', about, message: doubt?.message ?? `${number(celsius)} °C` });
    } catch (error) {
      findings.push({ level: 'error', about, message: asError(error).message });
    } finally {
      clearTimeout(timer);
    }
  }
  return { findings, isStuck };
}
