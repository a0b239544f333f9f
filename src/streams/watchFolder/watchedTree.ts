import { join, sep } from 'node:path';
import type { FileStat, Files } from '../../files/files.ts';
import { isWholeImage, type Wholeness } from '../../image/isWholeImage.ts';
import { IdTable } from '../../manifest/idTable.ts';
import { asError } from '../../model/asError.ts';
import type { NoteTally } from '../folder/folderNotes.ts';
import { imageFile } from '../folder/imageListing.ts';
import { SourceError, sourceErrorOf } from '../folder/sourceError.ts';
import type { FolderExtent } from './folderTouches.ts';

/** Folders below the watched one that are looked into. */
export const maxDepth = 4;
/** Of systems: bins, thumbnails, indices. */
const foldersOfSystems = /^(?:\..*|\$RECYCLE\.BIN|System Volume Information|lost\+found|@eaDir|__MACOSX)$/i;

/** Outside, or hidden, or of a system. */
export const isLeftOut = (path: string): boolean => path.split(sep).some(name => foldersOfSystems.test(name));

/** Neither a folder nor a link, pipe or device. */
export const isPlain = ({ isFolder, strange }: FileStat): boolean => !isFolder && !strange;

export interface WatchedTreeOptions {
  /** Absolute. */
  folder: string;
  /** Whether folders below are looked into. */
  subfolders: boolean;
  /** Through a gate. */
  files: Files;
  tally: NoteTally;
}

/**
 * The watched folder as it stands on the disk, with the folders below as far as they are looked into. Paths are relative to it. Files are
 * only read, and nothing is followed out of it. What can't be looked at is noted and holds up nothing else; but a disk that hangs is an error.
 */
export class WatchedTree {
  readonly folder: string;
  readonly #subfolders: boolean;
  readonly #files: Files;
  readonly #tally: NoteTally;
  /** Names that were looked at. */
  readonly #seen = new IdTable();

  constructor({ folder, subfolders, files, tally }: WatchedTreeOptions) {
    this.folder = folder;
    this.#subfolders = subfolders;
    this.#files = files;
    this.#tally = tally;
  }

  at(path: string): string {
    return join(this.folder, path);
  }

  saw(path: string): void {
    this.#seen.add(path);
  }

  hasSeen(path: string): boolean {
    return this.#seen.find(path) >= 0;
  }

  /** Calls `onImage` for the path of each image in a folder and, where they are looked into, in the folders below. Tells how much there is. */
  async walk(
    folder: string,
    onImage: (path: string) => Promise<void>,
    isOver: () => boolean = () => false,
  ): Promise<FolderExtent> {
    const folders = [this.at(folder)];
    let names = 0;
    for (const found of await this.#namesIn(folder)) {
      if (isOver()) break;
      names++;
      const path = join(folder, found);
      if (imageFile(found)) await onImage(path);
      else if (await this.isFolderBelow(path)) {
        const below = await this.walk(path, onImage, isOver);
        names += below.names;
        folders.push(...below.folders);
      }
    }
    return { names, folders };
  }

  async #namesIn(folder: string): Promise<string[]> {
    try {
      return await this.#files.list(this.at(folder));
    } catch (error) {
      if (folder === '') throw error;
      this.#leaveUnread(folder, error);
      return [];
    }
  }

  /** Whether it is a folder to look into. What is known to be none is not looked at again. */
  async isFolderBelow(path: string): Promise<boolean> {
    if (!this.#subfolders || path.split(sep).length > maxDepth) return false;
    if (isLeftOut(path) || this.hasSeen(path)) return false;
    const found = await this.stat(path);
    if (found?.isFolder && !found.strange) return true;
    if (found) this.saw(path);
    return false;
  }

  async wholenessOf(path: string): Promise<Wholeness> {
    try {
      const file = await this.#files.open(this.at(path), 'r');
      try {
        return await isWholeImage(file, path);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (asError(error).code === 'ETIMEDOUT') throw error;
      // Gone, or not to be read yet: the other program may be about to finish it.
      return 'cut';
    }
  }

  /** Null also for what can't be looked at, which holds up nothing else: that the whole folder is gone shows by itself. */
  async stat(path: string): Promise<FileStat | null> {
    try {
      return await this.#files.stat(this.at(path));
    } catch (error) {
      this.#leaveUnread(path, error);
      return null;
    }
  }

  /** @throws the error of a disk that hangs */
  #leaveUnread(path: string, error: unknown): void {
    if (asError(error).code === 'ETIMEDOUT') throw error;
    this.#tally.count('unreadable', `${sourceErrorOf(this.at(path), error).message}: it is left out for now`);
  }
}

/** @throws SourceError */
export async function rootOf(folder: string, files: Files): Promise<FileStat> {
  const root = await files.stat(folder).catch((error: unknown) => {
    throw asError(error).code === 'ETIMEDOUT' ? error : sourceErrorOf(folder, error);
  });
  if (root === null)
    throw new SourceError(
      'not_found',
      `${folder}: no such folder; is its disk or share mounted? (Watch_Folder.folder)`,
    );
  if (!root.isFolder)
    throw new SourceError('not_a_folder', `${folder}: is no folder; give the one that the images are saved in`);
  return root;
}
