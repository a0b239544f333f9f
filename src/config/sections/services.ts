import { flag } from '../kinds/flag.ts';
import { section, setting } from '../setting.ts';

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
    enable_thermocouple: setting(flag(), {
      absent: false,
      shipped: true,
      doc: 'Read the temperature sensors of [Temperature] with each frame.',
      effect: 'live',
    }),
    enable_brightfield: setting(flag(), {
      absent: false,
      doc: 'Take brightfield frames beside the others, into brightfield_dir; [Brightfield] says how. They are kept and copied, and never analysed.',
      effect: 'live',
    }),
    enable_file_backup: setting(flag(), {
      absent: false,
      doc: 'Move settled entries out of the manifest, every file_backup_interval_seconds, into compressed segments in backup_dir.',
      effect: 'live',
    }),
    enable_remote_sync: setting(flag(), {
      absent: false,
      doc: 'Copy the experiment to remote_root_dir, a folder on a network share; [Sync] says how.',
      effect: 'live',
    }),
    enable_image_compression: setting(flag(), {
      absent: false,
      doc: 'Compress images that have been analysed, without loss; [Compression] says how.',
      effect: 'live',
    }),
    enable_service_health_check: setting(flag(), {
      absent: false,
      doc: 'Look at the other stages, the disk, the clock and the cadence of frames every 30 seconds, and draw results_dir/health_report.png.',
      effect: 'live',
    }),
  },
);
