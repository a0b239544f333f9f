import { readdirSync, readFileSync } from 'node:fs';
import { isLocatable, parseChipMap } from '../../src/calibration/chipMap.ts';
import type { ChipChoice } from '../../src/calibration/findChip.ts';
import { findTemplate } from '../../src/calibration/labelTemplate.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';

/** The chips of a folder of templates that can be located, with their labels' pictures. */
export async function readChips(folder: string): Promise<ChipChoice[]> {
  const chips = parseChipMap(readFileSync(`${folder}/Chip_map.json`, 'utf8'), 'Chip_map.json').filter(isLocatable);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Promise.all(
    chips.map(async chip => ({
      chip,
      templates: await Promise.all(
        chip.labels.map(async label => ({
          label,
          picture: await decodeFrame(`${folder}/${findTemplate(files, chip.type, label.label)}`),
        })),
      ),
    })),
  );
}
