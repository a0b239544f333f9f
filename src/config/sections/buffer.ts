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
      doc: 'Images kept locally: the oldest that are settled, and copied while copying is on, are deleted beyond that. 0 keeps all.',
      effect: 'live',
    }),
    min_free_disk: setting(amount(), {
      absent: '0 GB',
      shipped: '1 GB',
      doc: 'Disk space that stays free: the oldest settled images are deleted for it, and where none may be, capture pauses. With image_buffer_size 0 only images that are on the share are deleted. 0 deletes nothing, and leaves only a small reserve (64 MiB or 1 %, the smaller) before capture pauses.',
      effect: 'live',
      new: true,
    }),
    live_entries: setting(number({ unit: 'entries', whole: true, min: 1 }), {
      absent: 5000,
      doc: 'Images that stay in the live manifest although nothing is left to do with them, or only their copy on the share; older ones go to its archive.',
      effect: 'restart',
      new: true,
    }),
  },
);
