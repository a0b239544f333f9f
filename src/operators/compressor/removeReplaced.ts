import { removeFile } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import type { NoteEvent } from '../../model/event.ts';

export interface RemoveReplacedOptions {
  files: Files;
  note: (level: NoteEvent['level'], message: string) => void;
}

/**
 * Removes an original whose compressed copy stands in the manifest. One that may not be removed is noted and stays beside it,
 * until the compressor starts anew.
 * @throws the file system's other errors
 */
export async function removeReplaced(path: string, { files, note }: RemoveReplacedOptions): Promise<void> {
  try {
    await removeFile(files, path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    note('warning', `${path} was compressed and can't be removed: ${message}`);
  }
}
