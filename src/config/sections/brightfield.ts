import { number } from '../kinds/number.ts';
import { deviceId } from '../kinds/text.ts';
import { section, setting } from '../setting.ts';

const own = (what: string, absent: number) =>
  setting(number(), { absent, doc: `${what} of the brightfield frame, in the camera's own unit.`, effect: 'live' });

/** `[Brightfield]`: frames beside those that are analysed. */
export const brightfield = section(
  { doc: 'Brightfield frames, taken beside those that are analysed, by a camera of the same camera_type.' },
  {
    camera_id: setting(deviceId(), {
      absent: 1,
      doc: 'Number or name of the brightfield camera. It may be the camera that takes the other frames.',
      effect: 'live',
    }),
    every_nth_frame: setting(number({ unit: 'frames', whole: true, min: 1 }), {
      absent: 1,
      doc: 'One brightfield frame for so many of the other frames.',
      effect: 'live',
      new: true,
    }),
    camera_exposure: own('Exposure', 150),
    camera_gain: own('Gain', 32),
    camera_brightness: own('Brightness', 128),
    camera_contrast: own('Contrast', 32),
  },
);
