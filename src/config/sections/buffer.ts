import { amount } from '../kinds/amount.ts';
import { number } from '../kinds/number.ts';
import { section, setting } from '../setting.ts';

/** `[Buffer]`: how much is kept on this machine. */
export const buffer = section(
  {
    doc: 'How much is kept on this machine. Nothing that is not settled, or not yet copied while copying is on, is ever deleted.',
  },
  {
    image_buffer_size: setting(number({ unit: 'images', whole: true, min: 0 }), {
      absent: 300,
      shipped: 0,
      doc: 'Images kept locally, 0 keeps all; not in this version yet: all are kept.',
      effect: 'live',
    }),
    min_free_disk: setting(amount(), {
      absent: '0 GB',
      shipped: '1 GB',
      doc: 'Disk space that stays free; not in this version yet: only a full disk is noticed.',
      effect: 'live',
      new: true,
    }),
    live_entries: setting(number({ unit: 'entries', whole: true, min: 1 }), {
      absent: 5000,
      doc: 'Settled images that stay in the live manifest; older ones go to its archive.',
      effect: 'restart',
      new: true,
    }),
  },
);
