import { dirname } from 'node:path';
import { contentHash } from '../files/contentHash.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { keepSnapshot } from '../files/keepSnapshot.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { systemClock } from '../model/clock.ts';
import { readFileText } from '../streams/watched/fileText.ts';

/**
 * Writes a ROI manifest. Another one that is there is kept first, as a run keeps those that it has used, in `backup_dir`.
 * @returns the path of a new copy; null where none was needed.
 * @throws the file system's errors, and an error where the one that is there can't be read: it is left as it is.
 */
export async function writeRoiManifest(file: string, text: string, backup: string): Promise<string | null> {
  const before = await readFileText(file);
  if (before.kind === 'text' && before.text === text) return null;
  if (before.kind !== 'text' && before.kind !== 'missing')
    throw new Error(`${file} ${before.reason}: it is not replaced, since no copy of it can be kept; move it away`);
  const kept =
    before.kind === 'text'
      ? await keepSnapshot(
          nodeFiles,
          backup,
          { stem: 'ROI_manifest', extension: 'json', hash: contentHash(before.text), text: before.text },
          systemClock.now(),
        )
      : null;
  await makeFolder(nodeFiles, dirname(file));
  await writeAtomic(nodeFiles, file, text);
  return kept;
}
