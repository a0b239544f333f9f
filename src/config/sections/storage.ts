import { text } from '../kinds/text.ts';
import { section, setting } from '../setting.ts';

/** `[Storage]`: the disk that the experiment is written to. */
export const storage = section(
  { doc: 'The disk that the experiment is written to.' },
  {
    usb_uuid: setting(
      text('the UUID of a file system, such as "BB92-0AA4", or empty text', value => /^[0-9A-Za-z-]*$/.test(value)),
      {
        absent: '',
        doc: 'UUID of the USB disk that root_dir must be on (`lsblk -f` shows it); empty when it may be on any. Nothing starts, and nothing is written, while root_dir is on another disk.',
        effect: 'restart',
      },
    ),
  },
);
