import { seconds } from '../kinds/number.ts';
import { section, setting } from '../setting.ts';

const every = (absent: number, doc: string, shipped = absent) =>
  setting(seconds(), { absent, shipped, doc, effect: 'live' });

/** `[Timing]`: how often the stages come round. */
export const timing = section(
  { doc: 'How often the stages come round, in seconds.' },
  {
    collector_interval_seconds: every(300, 'Time between two frames.', 5),
    processor_interval_seconds: every(
      2,
      'Longest wait before the processor looks for new frames. It starts at once when there are some.',
    ),
    communicator_interval_seconds: every(
      60,
      'Longest wait before results are reported. It starts at once when there are some.',
      10,
    ),
    compress_interval_seconds: every(
      3600,
      'Time between two rounds of compression. A round takes all images that wait; the first begins with the pipeline.',
    ),
    log_file_interval_seconds: every(43200, 'Time after which a new log file is begun.'),
    file_backup_interval_seconds: every(3600, 'Time between two rounds of backup.'),
    sync_interval_seconds: every(
      3600,
      'Time between two rounds of copying manifest, results and logs to the share. Images are copied as they come.',
    ),
    poll_interval_seconds: setting(seconds(), {
      absent: 2,
      doc: 'No longer needed: the stages are told of changes. Kept so that old files are accepted.',
      effect: 'none',
    }),
  },
);
