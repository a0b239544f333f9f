import { hash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Files } from '../files/files.ts';
import { imageFolder } from '../image/findImage.ts';
import { IdTable } from '../manifest/idTable.ts';
import { isSettled } from '../manifest/isSettled.ts';
import { ownImageTime } from '../manifest/orphanEntry.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { plainName } from '../model/compression.ts';

const keyDigits = 16;

/**
 * Which images are known, by a hash of their name and of the folder they lie in directly: 40 bytes each. A compressed image and
 * the one that it was made from are one: a crash may leave both.
 */
export class ImageNames {
  readonly #keys = new IdTable();

  add(path: string): void {
    this.#keys.add(keyOf(path));
  }

  has(path: string): boolean {
    return this.#keys.find(keyOf(path)) >= 0;
  }
}

function keyOf(path: string): string {
  return hash('md5', `${basename(dirname(path))}/${plainName(basename(path))}`, 'hex').slice(0, keyDigits);
}

/** A day's folder, and its further ones. */
const dayFolder = /^\d{8}(?:_\d+)?$/;

/** Where captured images are: `data_dir`, and the days' folders in it and in `brightfield_dir`. */
export async function capturedFolders({
  paths,
  files,
}: {
  paths: Pick<ResolvedPaths, 'data' | 'brightfield'>;
  files: Files;
}): Promise<string[]> {
  const folders = [paths.data];
  for (const folder of [paths.data, paths.brightfield]) {
    const days = (await files.list(folder)).filter(name => dayFolder.test(name)).sort();
    folders.push(...days.map(day => join(folder, day)));
  }
  return folders;
}

/**
 * Those of some images that no entry knows now, neither a live one nor an archived one: an image may have been captured, analysed
 * and moved to the archive since the entries were read last. `newest` is when the last captured image of an entry was taken, local time;
 * empty where there is none. Errors are those of `readEntries`.
 */
export async function withoutEntry(
  suspects: readonly string[],
  { paths, files }: { paths: ResolvedPaths; files: Files },
): Promise<{ left: string[]; newest: string }> {
  const names = new ImageNames();
  let newest = '';
  for await (const { entries } of readEntries({ file: paths.manifestFile, files, isSettled, note: () => undefined })) {
    for (const { camera_data: camera } of entries) {
      if (!camera) continue;
      names.add(join(camera.filepath ?? imageFolder(camera, paths.data, paths.brightfield), camera.filename));
      const taken = ownImageTime(plainName(camera.filename)) ?? '';
      if (taken > newest) newest = taken;
    }
  }
  return { left: suspects.filter(path => !names.has(path)), newest };
}
