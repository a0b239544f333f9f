import { dirname, join, relative, sep } from 'node:path';
import { type FileStat, type Files, StrangeFileError } from './files.ts';
import { wrapFiles } from './wrapFiles.ts';

/**
 * The same files, but nothing below some folders is reached through a link: whoever may write there could lead the program elsewhere
 * with one. The folders themselves may be links, or lie behind some: that is how their owner has arranged it.
 *
 * What neither changes anything nor gives a file's content passes.
 *
 * @param roots absolute
 */
export function confinedFiles(files: Files, roots: readonly string[]): Files {
  /** The folders from the nearest root, without it, to this one, the outermost first; none for what lies below no root. */
  const below = (folder: string): string[] => {
    const ways = roots.map(root => ({ root, way: relative(root, folder) })).filter(({ way }) => isBelow(way));
    const [nearest] = ways.sort((a, b) => a.way.length - b.way.length);
    if (!nearest) return [];
    const names = nearest.way.split(sep);
    return names.map((_, i) => join(nearest.root, ...names.slice(0, i + 1)));
  };
  const look = async (folder: string): Promise<FileStat | null> => {
    const found = await files.stat(folder);
    if (found?.strange) throw new StrangeFileError(folder, `a ${found.strange}`, 'ELOOP', { wanted: 'a folder' });
    return found;
  };
  const check = async (path: string): Promise<void> => {
    for (const folder of below(dirname(path))) if ((await look(folder)) === null) return;
  };
  const confined = wrapFiles(files, async ({ name, path, from }, run) => {
    if (from !== undefined) await check(from);
    if (checked.has(name) && (from === undefined || dirname(from) !== dirname(path))) await check(path);
    return run();
  });
  return {
    ...confined,
    makeFolder: async (path, under) => {
      const folders = below(path);
      if (folders.length === 0) return files.makeFolder(path, under);
      // One after the other: to make them all at once would go through a link before anybody has seen it.
      for (const folder of folders) if ((await look(folder)) === null) await files.makeFolder(folder, under);
    },
  };
}

const checked: ReadonlySet<keyof Files> = new Set(['open', 'openUncached', 'rename', 'remove']);

const isBelow = (way: string): boolean => way !== '' && way !== '..' && !way.startsWith(`..${sep}`);

/** A file that the configuration names may be a link, as its owner has arranged it: the path of what it leads to. One to nothing stays what it is. */
export async function throughOwnLink(files: Files, path: string): Promise<string> {
  const found = await files.stat(path);
  if (found?.strange !== 'link' || found.isFolder || !files.realPath) return path;
  return files.realPath(path).catch(() => path);
}
