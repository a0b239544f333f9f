import type { Codec } from '../../model/compression.ts';
import { number } from '../kinds/number.ts';
import { word } from '../kinds/words.ts';
import { section, setting } from '../setting.ts';

const methods = {
  gzip: 'files named .gz, which every system opens',
  zstd: 'files named .zst: faster, and a little smaller at the same speed; fewer programs open them',
} satisfies Record<Codec, string>;

/** `[Compression]`: how images are compressed once they were analysed. */
export const compression = section(
  {
    doc: 'How images are compressed, without loss, once they were analysed (with enable_image_compression). Images that are compressed already, as PNG is, stay as they are.',
    new: true,
  },
  {
    method: setting(word(methods), {
      absent: 'gzip',
      doc: 'How the files are compressed. Images of both kinds are read, whatever this says.',
      effect: 'live',
      new: true,
    }),
    level: setting(number({ whole: true, min: 1, max: 9 }), {
      absent: 3,
      doc: 'From 1 (fast) to 9 (small); beyond 3 camera frames become hardly smaller, at a multiple of the time.',
      effect: 'live',
      new: true,
    }),
    least_saving: setting(number({ unit: 'per cent', min: 0, max: 99 }), {
      absent: 5,
      doc: 'An image that does not become smaller by this much stays as it is.',
      effect: 'live',
      new: true,
    }),
  },
);
