import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { makeFolder } from '../../files/durableNames.ts';
import type { Exclusive } from '../../files/fileLock.ts';
import { type Files, nodeFiles } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { Control } from '../../model/control.ts';
import { parseControl } from './controlFile.ts';

/**
 * Changes what `flags/control.json` asks for, durably, and returns it with its number; null when it asks for that already.
 * A damaged file is replaced: it can't be obeyed anyway.
 */
export async function changeControl(
  path: string,
  edit: (before: Omit<Control, 'seq'>) => Omit<Control, 'seq'>,
  { files, exclusive }: { files: Files; exclusive: Exclusive },
): Promise<Control | null> {
  await makeFolder(files, dirname(path));
  return exclusive(async () => {
    const { before, isDamaged } = await present(path);
    const { paused, playback } = edit(before);
    const isSame =
      paused.toSorted().join() === before.paused.toSorted().join() && isDeepStrictEqual(playback, before.playback);
    // What a running pipeline obeys may be what stood there before the damage.
    if (!isDamaged && isSame) return null;
    const control: Control = { seq: before.seq + 1, paused, ...(playback && { playback }) };
    await writeAtomic(files, path, `${JSON.stringify(control)}\n`);
    return control;
  });
}

async function present(path: string): Promise<{ before: Control; isDamaged: boolean }> {
  const text = await readBytes(nodeFiles, path)
    .then(String)
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  try {
    return { before: parseControl(text), isDamaged: false };
  } catch {
    // A number that nobody has seen yet.
    return { before: { seq: Date.now(), paused: [] }, isDamaged: true };
  }
}
