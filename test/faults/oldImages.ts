import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry } from '../../src/model/entry.ts';
import { rawPicture, writeOldManifest } from '../program/experiment.ts';

/** Images that an earlier run has left waiting, which shrink: the camera's do not. Returns their names. */
export async function writeOldImages(root: string, count: number): Promise<string[]> {
  const day = join(root, 'data', '20250724');
  await mkdir(day, { recursive: true });
  const image = await rawPicture(640, 480);
  const names = Array.from(
    { length: count },
    (_, i) => `image_20250724_1345${`${i}`.padStart(2, '0')}_000000_cam0.tiff`,
  );
  for (const name of names) await writeFile(join(day, name), image);
  await writeOldManifest(root, names, day);
  return names;
}

/** Whether an entry is of one of them, compressed or not. */
export const isOldImage = ({ camera_data: camera }: Entry): boolean => /\.tiff(?:\.gz)?$/.test(camera?.filename ?? '');
