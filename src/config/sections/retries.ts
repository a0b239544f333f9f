import { number, seconds } from '../kinds/number.ts';
import { section, setting } from '../setting.ts';

/** `[Retries]`: what happens when the camera fails. */
export const retries = section(
  { doc: 'What happens when the camera fails.' },
  {
    collector_failure_limit: setting(number({ unit: 'failures', whole: true, min: 1 }), {
      absent: 5,
      doc: 'Failures of the camera in a row at which there is an alarm; those before are only noted in the log. What does not pass by itself (no camera, a program that is missing, a camera that another experiment uses) is an alarm at once. The collector goes on trying, from then on less and less often.',
      effect: 'live',
    }),
    collector_retry_delay_seconds: setting(seconds({ zero: true }), {
      absent: 2,
      doc: 'Wait before the next try after a failure; it grows once there is an alarm.',
      effect: 'live',
    }),
  },
);
