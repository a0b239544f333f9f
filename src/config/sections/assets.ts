import { pathUnder } from '../kinds/path.ts';
import { section, setting } from '../setting.ts';

const asset = (absent: string, doc: string) => setting(pathUnder('root_dir'), { absent, doc, effect: 'restart' });

/** `[Assets]`: what calibration reads and writes. */
export const assets = section(
  {
    doc: 'What the search for the regions of interest reads and writes. Looked for in root_dir, then beside the folder that holds this file, then in that folder.',
  },
  {
    roi_generation_image: asset(
      'continuous_capture/continuous_capture_frame.jpg',
      'Image in which the regions are looked for.',
    ),
    label_template_dir: asset(
      'assets/Label_templates',
      'Folder with the pictures of the chip labels and Chip_map.json.',
    ),
    feature_locations_config: asset('configs/Feature_locations.toml', 'File with the rough positions of the labels.'),
    generated_files_dir: asset('generated_files', 'Folder of the regions of interest that were found, or given.'),
  },
);
