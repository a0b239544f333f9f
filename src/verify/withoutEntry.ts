import { join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Files } from '../files/files.ts';
import { isSettled } from '../manifest/isSettled.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { ImageNames } from './imageNames.ts';

/**
 * Those of some images that no entry knows now, neither a live one nor an archived one: an image may have been captured, analysed
 * and moved to the archive since the entries were read last. Errors are those of `readEntries`.
 */
export async function withoutEntry(
  suspects: readonly string[],
  { paths, files }: { paths: ResolvedPaths; files: Files },
): Promise<string[]> {
  const names = new ImageNames();
  for await (const { entries } of readEntries({ file: paths.manifestFile, files, isSettled, note: () => undefined })) {
    for (const { camera_data: camera } of entries) {
      if (camera) names.add(join(camera.filepath ?? paths.data, camera.filename));
    }
  }
  return suspects.filter(path => !names.has(path));
}
