import { flag } from '../kinds/flag.ts';
import { section, setting } from '../setting.ts';

const later = (doc: string, what: string) => setting(flag(), { absent: false, doc, effect: 'live', later: what });

/** `[Services]`: what runs besides processor and communicator. */
export const services = section(
  { doc: 'What runs besides the analysis and its reports.' },
  {
    enable_camera: setting(flag(), {
      absent: false,
      shipped: true,
      doc: 'Collect frames from the source that [Camera] names.',
      effect: 'live',
    }),
    enable_thermocouple: later('Read the thermocouples with each frame.', 'no temperature is read'),
    enable_brightfield: later('Take frames with the brightfield camera too.', 'no brightfield frame is taken'),
    enable_file_backup: later(
      'Move what is settled from the manifest into backup_dir.',
      'nothing is moved to backup_dir',
    ),
    enable_remote_sync: later('Copy the experiment to remote_root_dir.', 'nothing is copied to the share'),
    enable_image_compression: later(
      'Compress images that have been analysed, without loss.',
      'images stay as they are',
    ),
    enable_service_health_check: later(
      'Watch over the other stages and draw the health report.',
      'no health report is drawn',
    ),
  },
);
