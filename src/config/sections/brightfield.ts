import { number } from '../kinds/number.ts';
import { deviceId } from '../kinds/text.ts';
import { section, setting } from '../setting.ts';

const own = (what: string, absent: number) =>
  setting(number(), { absent, doc: `${what} of the brightfield frame, in the camera's own unit.`, effect: 'live' });

/** `[Brightfield]`: the brightfield camera. */
export const brightfield = section(
  { doc: 'The brightfield camera.' },
  {
    camera_id: setting(deviceId(), { absent: 1, doc: 'Number or name of the brightfield camera.', effect: 'live' }),
    camera_exposure: own('Exposure', 150),
    camera_gain: own('Gain', 32),
    camera_brightness: own('Brightness', 128),
    camera_contrast: own('Contrast', 32),
  },
);
