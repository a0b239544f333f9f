import { clockTime } from '../../model/experimentStep.ts';
import { number } from '../kinds/number.ts';
import { text } from '../kinds/text.ts';
import { section, setting } from '../setting.ts';

const time = () =>
  text(
    'a time such as "2026-11-28T14:00:00", as the clock at the camera shows it, or empty',
    value => value === '' || !Number.isNaN(clockTime(value)),
  );

/** `[Quantities]`: what is computed from the shifts while the run goes on. */
export const quantities = section(
  {
    doc: 'What is computed from the shifts while the run goes on: noise, drift, changes, quality.',
    new: true,
  },
  {
    window_frames: setting(number({ unit: 'frames', whole: true, min: 5, max: 128 }), {
      absent: 15,
      doc: 'Frames of the rolling median and of the rolling slope.',
      effect: 'live',
      new: true,
    }),
    temperature_sensor: setting(
      text('the name of a sensor, or empty', () => true),
      {
        absent: '',
        doc: 'Sensor against which the influence of the temperature is fitted; empty: the first one.',
        effect: 'live',
        new: true,
      },
    ),
    zero_from: setting(time(), {
      absent: '',
      doc: 'With `zero_to`: the mean of each shift between these times is a second zero, beside the reference. Empty: none.',
      effect: 'live',
      new: true,
    }),
    zero_to: setting(time(), {
      absent: '',
      doc: 'End of that time: the day, minute or second that it names counts whole; with a fraction of a second it is the moment itself.',
      effect: 'live',
      new: true,
    }),
    alarm_sigmas: setting(number({ unit: 'standard errors', min: 0, max: 100 }), {
      absent: 0,
      doc: 'Control chart: an alarm when the moving average of the shift of a group leaves its level by more than so many of its standard errors; 3 is usual, 5 is quiet. 0: no alarm. Groups are those of [Experiment].',
      effect: 'live',
      new: true,
    }),
  },
);
