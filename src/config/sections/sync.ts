import { flag } from '../kinds/flag.ts';
import { number, seconds } from '../kinds/number.ts';
import { rate } from '../kinds/rate.ts';
import { section, setting } from '../setting.ts';

/** `[Sync]`: how the experiment is copied to the share. */
export const sync = section(
  { doc: 'How the experiment is copied to remote_root_dir, where Services.enable_remote_sync is on.', new: true },
  {
    trust_write: setting(flag(), {
      absent: false,
      doc: 'Do not read back what was written to the share. It halves the traffic of a slow link, and a share that stores something else is not noticed.',
      effect: 'live',
      new: true,
    }),
    bandwidth_limit: setting(rate(), {
      absent: '0 MB/s',
      doc: 'Most that goes to and from the share, all files together; "0 MB/s" for no limit. What is read back to check it counts too.',
      effect: 'live',
      new: true,
    }),
    files_in_flight: setting(number({ unit: 'images', whole: true, min: 1, max: 16 }), {
      absent: 3,
      doc: 'Images that are copied at one time.',
      effect: 'live',
      new: true,
    }),
    deadline_seconds: setting(seconds(), {
      absent: 60,
      doc: 'A share that shows no progress for so long hangs: the process that copies is given up, and another one tries again.',
      effect: 'live',
      new: true,
    }),
  },
);
