import { folder, pathUnder } from '../kinds/path.ts';
import { section, setting } from '../setting.ts';

const below = (absent: string, doc: string) => setting(pathUnder('root_dir'), { absent, doc, effect: 'restart' });

/** `[Paths]`: where everything is kept. */
export const paths = section(
  { doc: 'Where everything is kept. All but the first two are folders inside root_dir.' },
  {
    remote_root_dir: setting(folder(), {
      absent: 'remote',
      shipped: 'phorest_data/remote',
      doc: 'Folder on the remote share that the experiment is copied to.',
      effect: 'restart',
    }),
    root_dir: setting(folder(), {
      absent: '.',
      shipped: 'phorest_data',
      doc: 'Folder of the experiment. A relative one is taken from the working directory.',
      effect: 'restart',
    }),
    data_dir: below('data', 'Images, in a folder for each day, and the manifest.'),
    results_dir: below('results', 'Results, tables and plots.'),
    continuous_capture_dir: below(
      'continuous_capture',
      'The preview frame that is overwritten again and again while one focuses.',
    ),
    logs_dir: below('logs', 'Log files.'),
    backup_dir: below('backup', 'Archived parts of the manifest.'),
    brightfield_dir: below('brightfield', 'Frames of the brightfield camera.'),
    roi_manifest_filename: setting(pathUnder('generated_files_dir'), {
      absent: 'ROI_manifest.json',
      doc: 'File with the regions of interest, in generated_files_dir.',
      effect: 'restart',
    }),
  },
);
