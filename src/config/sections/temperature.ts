import { folder } from '../kinds/path.ts';
import { sensors } from '../kinds/sensors.ts';
import { section, setting } from '../setting.ts';

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
