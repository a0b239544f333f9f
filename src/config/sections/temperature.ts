import { z } from 'zod';
import type { Kind } from '../kinds/kind.ts';
import { seconds } from '../kinds/number.ts';
import { folder } from '../kinds/path.ts';
import { isForShell, plain } from '../kinds/text.ts';
import { section, setting } from '../setting.ts';

/** The CSV has a column for each sensor, named like this: two sensors must not share one. */
const column = (name: string): string => name.toLowerCase().replaceAll(' ', '_');

/** Ids are compared in small letters, as the system writes them: one sensor has one name. */
const idForm = /^(?:[0-9a-f]{2}-[0-9a-f]{12}|simulated(?:-[0-9]{1,3})?)$/;

/** Table of 1-wire ids (as the folders of `device_root` are called) and the names that the results use, in the order of the file. */
function sensors(): Kind<Readonly<Record<string, string>>> {
  const allowed = 'a table of 1-wire id = name, such as "28-00000ff8fa16" = "Sensor 1"';
  const schema = z.unknown().transform((value, context): Readonly<Record<string, string>> => {
    const fail = (message: string, path: string[]): void => context.addIssue({ code: 'custom', message, path });
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) {
      fail(allowed, []);
      return z.NEVER;
    }
    const taken = new Map<string, string>();
    const result = new Map<string, string>();
    for (const [written, name] of Object.entries(value)) {
      const id = written.toLowerCase();
      if (!idForm.test(id)) {
        fail('listed under a 1-wire id of the form 28-00000ff8fa16 (see /sys/bus/w1/devices)', [written]);
      } else if (typeof name !== 'string' || name.trim() === '' || !plain(name) || isForShell(name)) {
        fail('the name of the sensor, as text', [written]);
      } else if (taken.has(column(name))) {
        fail(`a name of its own: ${taken.get(column(name))} has this one`, [written]);
      } else if (result.has(id)) {
        fail(`the only name of ${id}, which is ${result.get(id)} already`, [written]);
      } else {
        taken.set(column(name), written);
        result.set(id, name);
      }
    }
    return Object.fromEntries(result);
  });
  const example = ['"28-00000ff8fa16" = "Sensor 1"', '"28-00000ff86450" = "Sensor 2"'];
  return { schema, allowed, example };
}

/** `[Temperature]`: the sensors. */
export const temperature = section(
  { doc: 'Temperature sensors on the 1-wire bus.' },
  {
    device_root: setting(folder(), {
      absent: '/sys/bus/w1/devices',
      doc: 'Folder in which the system shows its 1-wire devices.',
      effect: 'live',
      new: true,
    }),
    longest_unchanged_seconds: setting(seconds({ zero: true }), {
      absent: 3600,
      doc: 'A sensor that gives the same value for longer is flagged as unchanged; 0: none is.',
      effect: 'live',
      new: true,
    }),
    thermocouple_sensors: setting(sensors(), {
      absent: {},
      shipped: { simulated: 'Simulated room' },
      doc: 'The sensors: 1-wire id = name in the results. The id simulated (simulated-2, …) is a sensor that is not there, as a simulated camera is.',
      effect: 'live',
    }),
  },
);
