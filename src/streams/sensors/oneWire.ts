import { join } from 'node:path';
import type { Files } from '../../files/files.ts';
import { readRange } from '../../files/readBytes.ts';
import { asError } from '../../model/asError.ts';
import type { Clock } from '../../model/clock.ts';
import { type RawReading, type Sensor, SensorError, type SensorTrouble } from '../../model/sensor.ts';
import { parseTemperature, parseW1Slave } from './oneWireText.ts';

export interface OneWireDeps {
  files: Pick<Files, 'open' | 'stat' | 'list'>;
  clock: Clock;
}

/** A disturbed reading is taken again so often at most, and only as long as the first ones took no longer than this, ms. */
const maxAttempts = 3;
const retriesUntilMs = 3000;
const worthAnother: readonly SensorTrouble[] = ['checksum', 'empty', 'power_on', 'unreadable'];

/** `w1_slave` has some 75 bytes. */
const maxBytes = 4096;

/**
 * A thermometer on the 1-wire bus, as Linux shows it below `root` (`/sys/bus/w1/devices`): its `w1_slave`, or its `temperature` where
 * there is no `w1_slave`. To read the file is to measure: 0.75 s, and several times that on a disturbed line.
 * @param id as its folder is called: `28-00000ff8fa16`.
 */
export function openOneWire(id: string, root: string, deps: OneWireDeps): Sensor {
  const name = id.toLowerCase();
  return {
    read: async signal => {
      if (isGhost(name)) throw ghostError();
      const startedMs = deps.clock.monotonic();
      for (let attempt = 1; ; attempt++) {
        const read = await readOnce(name, root, deps).catch(asSensorError);
        const trouble = read instanceof SensorError ? read : read.doubt;
        const isLast = attempt === maxAttempts || deps.clock.monotonic() - startedMs >= retriesUntilMs;
        if (trouble && worthAnother.includes(trouble.trouble) && !isLast && !signal.aborted) continue;
        if (read instanceof SensorError) throw read;
        return read;
      }
    },
  };
}

/** What is wrong with a sensor as far as can be seen without a measurement; null: nothing. */
export async function missingOneWire(id: string, root: string, deps: OneWireDeps): Promise<SensorError | null> {
  const name = id.toLowerCase();
  const folder = join(root, name);
  if (isGhost(name)) return ghostError();
  for (const file of ['w1_slave', 'temperature']) if (await deps.files.stat(join(folder, file))) return null;
  return whatIsMissing(folder, name, root, deps);
}

const isGhost = (name: string): boolean => name.startsWith('00-');

const ghostError = (): SensorError => {
  const why = 'disturbances on the line make such names, no sensor has one; "phorest find sensors" shows the real ones';
  return new SensorError('ghost', `an id that begins with 00 is none of a sensor: ${why}`);
};

async function readOnce(name: string, root: string, deps: OneWireDeps): Promise<RawReading> {
  const folder = join(root, name);
  const family = name.slice(0, 2);
  const slave = await textOf(join(folder, 'w1_slave'), deps);
  if (slave !== null) return parseW1Slave(slave, family);
  const temperature = await textOf(join(folder, 'temperature'), deps);
  if (temperature !== null) return parseTemperature(temperature, family);
  throw await whatIsMissing(folder, name, root, deps);
}

/** Null when there is no such file. */
async function textOf(path: string, { files }: OneWireDeps): Promise<string | null> {
  try {
    const file = await files.open(path, 'r');
    try {
      return (await readRange(file, 0, maxBytes)).toString('latin1');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(asError(error).code ?? '')) return null;
    throw error;
  }
}

async function whatIsMissing(folder: string, name: string, root: string, { files }: OneWireDeps): Promise<SensorError> {
  if (await files.stat(folder)) {
    return new SensorError(
      'driver',
      `${folder} has neither w1_slave nor temperature: is it a thermometer, and its driver loaded (sudo modprobe w1-therm)?`,
    );
  }
  if (!(await files.stat(root))) {
    const why = 'is 1-wire switched on (dtoverlay=w1-gpio in /boot/firmware/config.txt, then a restart)?';
    return new SensorError('bus', `there is no ${root}, Temperature.device_root: ${why}`);
  }
  const others = thermometersAmong(await files.list(root)).filter(other => other !== name);
  const found = others.length === 0 ? 'nor is any other sensor' : `there are ${others.slice(0, 8).join(', ')}`;
  return new SensorError('gone', `it is not in ${root}, ${found}: is its cable plugged in?`);
}

/** The names of those that may be thermometers, in order: ghosts are none, nor is the bus itself. */
export function thermometersAmong(names: readonly string[]): string[] {
  return names.filter(name => oneWireId.test(name) && !isGhost(name)).sort();
}

/** How Linux names a 1-wire device: family and number. */
export const oneWireId = /^[0-9a-f]{2}-[0-9a-f]{12}$/i;

/** What the system says of a reading that it could not do. */
function asSensorError(thrown: unknown): SensorError {
  if (thrown instanceof SensorError) return thrown;
  const error = asError(thrown);
  const meaning =
    error.code === 'EIO' || error.code === 'ENODEV'
      ? 'the sensor did not answer; was its cable pulled?'
      : error.code === 'EACCES'
        ? 'this user may not read it'
        : 'it can not be read';
  return new SensorError('unreadable', `${meaning} (${error.message})`, { cause: error });
}
