import { z } from 'zod';
import type { Kind } from '../kinds/kind.ts';
import { folder } from '../kinds/path.ts';
import { plain } from '../kinds/text.ts';
import { section, setting } from '../setting.ts';

/** The CSV has a column for each sensor, named like this: two sensors must not share one. */
const column = (name: string): string => name.toLowerCase().replaceAll(' ', '_');

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
    const result: [string, string][] = [];
    for (const [id, name] of Object.entries(value)) {
      if (!/^[0-9a-f]{2}-[0-9a-f]{12}$/i.test(id)) {
        fail('listed under a 1-wire id of the form 28-00000ff8fa16 (see /sys/bus/w1/devices)', [id]);
      } else if (typeof name !== 'string' || name.trim() === '' || !plain(name)) {
        fail('the name of the sensor, as text', [id]);
      } else if (taken.has(column(name))) {
        fail(`a name of its own: ${taken.get(column(name))} has this one`, [id]);
      } else {
        taken.set(column(name), id);
        result.push([id, name]);
      }
    }
    return Object.fromEntries(result);
  });
  const example = ['"28-00000ff8fa16" = "Sensor 1"', '"28-00000ff86450" = "Sensor 2"'];
  return { schema, allowed, example };
}

/** `[Temperature]`: the thermocouples. */
export const temperature = section(
  { doc: 'Thermocouples on the 1-wire bus.' },
  {
    device_root: setting(folder(), {
      absent: '/sys/bus/w1/devices',
      doc: 'Folder in which the system shows its 1-wire devices.',
      effect: 'live',
      new: true,
    }),
    thermocouple_sensors: setting(sensors(), {
      absent: {},
      doc: 'The sensors: 1-wire id = name in the results.',
      effect: 'live',
    }),
  },
);
