import { flag } from '../kinds/flag.ts';
import { seconds } from '../kinds/number.ts';
import { pathUnder } from '../kinds/path.ts';
import { word } from '../kinds/words.ts';
import { section, setting } from '../setting.ts';

const orders = {
  name: 'as people number them: img_2 before img_10',
  time: 'by the time of modification',
};

/** `[Watch_Folder]`: images that another program saves. */
export const watchFolder = section(
  { doc: 'For camera_type = "watch_folder": images that another program saves are taken in as they come.', new: true },
  {
    folder: setting(pathUnder('root_dir'), {
      absent: 'incoming',
      doc: 'Folder that the other program saves its images in. They are read and copied to the share, and never changed.',
      effect: 'live',
      new: true,
    }),
    order: setting(word(orders), {
      absent: 'name',
      doc: 'Order in which images are taken in that come together. An image waits for those before it while they are being written.',
      effect: 'live',
      new: true,
    }),
    take_existing: setting(flag(), {
      absent: false,
      doc: 'Take in also the images that were there before the folder was watched for the first time. What comes while the pipeline is down is always taken in.',
      effect: 'live',
      new: true,
    }),
    subfolders: setting(flag(), {
      absent: true,
      doc: 'Look into the folders below too, up to four deep, also into those that come later.',
      effect: 'live',
      new: true,
    }),
    settle_seconds: setting(seconds(), {
      absent: 1,
      doc: 'An image is taken in when it is whole and has not changed for so long. One that may be unfinished although nothing is missing (a TIFF that ends in zeros, a compressed file) waits ten times as long.',
      effect: 'live',
      new: true,
    }),
    patience_seconds: setting(seconds(), {
      absent: 60,
      doc: 'An image that is cut off is waited for so long after its last change. Then it is taken in as it stands, and becomes a failed entry. It holds the others no longer than that.',
      effect: 'live',
      new: true,
    }),
  },
);
