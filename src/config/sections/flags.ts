import { fileName, pathUnder } from '../kinds/path.ts';
import { section, setting } from '../setting.ts';

/** `[Flags]`: files that tell other programs what goes on. */
export const flags = section(
  { doc: 'Files that tell other programs what goes on.' },
  {
    flag_dir: setting(pathUnder('root_dir'), {
      absent: 'flags',
      doc: 'Folder of these files, and of the status that `phorest status` reads.',
      effect: 'restart',
    }),
    data_ready: setting(fileName(), {
      absent: 'data_ready.flag',
      doc: 'File that the Python system touched when there was a new image.',
      effect: 'none',
    }),
    results_ready: setting(fileName(), {
      absent: 'results_ready.flag',
      doc: 'File that the Python system touched when there was a new result.',
      effect: 'none',
    }),
  },
);
