import { dirname, join } from 'node:path';
import { makeFolder } from '../files/durableNames.ts';
import type { Files } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import type { EnterRequest } from './shareCalls.ts';
import { ShareError, ShareNotMountedError } from './shareError.ts';

/** Name of the marker in the share's folder. */
export const markerName = '.phorest_share.json';

/** It goes into messages and file names. */
const plainId = /^[\w-]{1,64}$/;
/** A longer one is none. */
const longestMarker = 4096;

/**
 * Finds the share, and returns the id in its marker. At the first use the folder is made, where only it itself is
 * missing, and a marker is written where there is none.
 *
 * @throws ShareNotMountedError when the share was used before and its marker is missing or another one.
 */
export async function enterShare(root: string, { known, fresh }: EnterRequest, files: Files): Promise<string> {
  if (known !== null) {
    await checkMarker(root, known, files);
    return known;
  }
  const folder = await files.stat(root);
  if (folder === null) {
    const parent = await files.stat(dirname(root));
    if (!parent?.isFolder) {
      throw new ShareNotMountedError(
        `${root} can't be made, since ${dirname(root)} is not there; is the share mounted?`,
        {
          code: 'ESHAREABSENT',
          path: root,
        },
      );
    }
    await makeFolder(files, root);
  } else if (!folder.isFolder) {
    throw new ShareError(`${root} is a file; remote_root_dir must be a folder`, { code: 'ENOTDIR', path: root });
  }
  const there = await readMarker(root, files);
  if (there !== null) return there;
  await writeAtomic(files, join(root, markerName), `${JSON.stringify({ share_id: fresh })}\n`);
  return fresh;
}

/** @throws ShareNotMountedError unless the marker in a folder holds this id. */
export async function checkMarker(root: string, known: string, files: Files): Promise<void> {
  const there = await readMarker(root, files);
  if (there === known) return;
  throw new ShareNotMountedError(await whyNot(root, there, files), { code: 'ESHARENOTMOUNTED', path: root });
}

async function whyNot(root: string, there: string | null, files: Files): Promise<string> {
  const marker = join(root, markerName);
  if (there === null && (await files.stat(marker)) !== null) {
    return (
      `${marker} is damaged, and nothing else says which share this is: nothing is written to it. ` +
      'If the copies of this experiment are there, stop the pipeline and delete flags/share.json: the marker is made anew then, and the copies are found'
    );
  }
  const isThere = there !== null || (await files.stat(root)) !== null;
  const what = there !== null ? `holds another share (marker ${there})` : isThere ? 'has no marker' : 'is not there';
  return (
    `${root} ${what}, but it was used before: the share is not mounted, or replaced. Nothing is written to it. ` +
    'Mount it; or, to begin anew on a replaced one, stop the pipeline and delete flags/share.json'
  );
}

/** The id in the marker of a folder; null where there is none. */
export async function readMarker(root: string, files: Files): Promise<string | null> {
  const path = join(root, markerName);
  const stat = await files.stat(path);
  if (!stat || stat.isFolder || stat.strange || stat.size > longestMarker) return null;
  try {
    const { share_id: id } = JSON.parse(String(await readBytes(files, path, 0, stat.size))) as { share_id?: unknown };
    return typeof id === 'string' && plainId.test(id) ? id : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}
