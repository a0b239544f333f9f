import { join } from 'node:path';
import { makeFolder, removeFile } from '../../files/durableNames.ts';
import { type Files, StrangeFileError } from '../../files/files.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import { imageNames } from '../../model/compression.ts';
import type { CameraData } from '../../model/entry.ts';
import type { CapturedFrame } from '../../model/frame.ts';
import { parseIso, utcIso } from '../../model/localTime.ts';

/** Long names that a vfat folder holds are about 16,000; well before that a day gets a further folder. */
const maxPerFolder = 10_000;

/** A frame that was being written. `.tif.zst` may be a compressor's that is at work: `removeTemporaries` sees to those. */
const unfinished = /^(?:image|brightfield)_.*\.(?:png|tif)\.\d+-[0-9a-f]+\.tmp$/;

const dayOf = ({ taken }: Pick<CapturedFrame, 'taken'>): string => taken.local.slice(0, 10).replaceAll('-', '');

interface EncodedImage {
  bytes: Uint8Array;
  extension: string;
}

/**
 * Writes captured frames into a folder of the day, `data_dir/YYYYMMDD/`, each durable under its name before it is told of. Names come from the
 * frame's local time to the microsecond; one that any folder of that day has already (a clock that was set back, an hour
 * that comes twice in autumn) counts on by a microsecond.
 *
 * A folder that takes no more names says the same as a full disk (vfat has room for 65,536 parts of names in one, also where
 * the names are not ours): so what did not go into one is tried in a further one before it counts as an error.
 */
export class ImageStore {
  readonly #folderOfDays: string;
  readonly #type: CameraData['type'];
  readonly #files: Files;
  /** Where images go now, and all folders of that day. */
  #folder: { day: string; path: string; count: number; all: readonly string[] } | null = null;
  /** Folders that take no more names. */
  readonly #crowded = new Set<string>();

  /** @param folder that the days' folders are in @param type of the frames, which their names begin with */
  constructor(folder: string, files: Files, type: CameraData['type'] = 'image') {
    this.#folderOfDays = folder;
    this.#type = type;
    this.#files = files;
  }

  /**
   * Errors are the file system's; nothing of the frame is left then.
   * @param extension that its name gets
   */
  async write(
    frame: Pick<CapturedFrame, 'taken' | 'cameraIndex'>,
    bytes: Uint8Array,
    extension = '.png',
  ): Promise<{ filepath: string; filename: string }> {
    const image: EncodedImage = { bytes, extension };
    try {
      return await this.#writeInto(await this.#folderFor(dayOf(frame)), frame, image);
    } catch (error) {
      // The folder may be gone: it is looked for, and made, anew.
      const tried = this.#folder;
      this.#folder = null;
      const isCrowded = tried?.count !== 0 && (error as NodeJS.ErrnoException).code === 'ENOSPC';
      if (!tried || !(isCrowded || error instanceof StrangeFileError)) throw error;
      return this.#writeElsewhere(tried.path, frame, image, error);
    }
  }

  /** @param cause why it did not go into the `crowded` folder, if that is what it is. */
  async #writeElsewhere(
    crowded: string,
    frame: Pick<CapturedFrame, 'taken' | 'cameraIndex'>,
    image: EncodedImage,
    cause: unknown,
  ): Promise<{ filepath: string; filename: string }> {
    this.#crowded.add(crowded);
    try {
      return await this.#writeInto(await this.#folderFor(dayOf(frame)), frame, image);
    } catch {
      this.#crowded.delete(crowded);
      this.#folder = null;
      throw cause;
    }
  }

  async #writeInto(
    { path: filepath, all }: { path: string; all: readonly string[] },
    frame: Pick<CapturedFrame, 'taken' | 'cameraIndex'>,
    image: EncodedImage,
  ): Promise<{ filepath: string; filename: string }> {
    const filename = await this.#freeName(all, frame, image.extension);
    await this.#writeDurably(join(filepath, filename), image.bytes);
    this.#folder!.count++;
    return { filepath, filename };
  }

  async #writeDurably(path: string, bytes: Uint8Array): Promise<void> {
    try {
      await writeAtomic(this.#files, path, bytes);
    } catch (error) {
      // It may stand there and not be durable. What a failing disk refuses to remove stays, as an image without an entry.
      await removeFile(this.#files, path).catch(() => undefined);
      throw error;
    }
  }

  async #folderFor(day: string): Promise<{ path: string; all: readonly string[] }> {
    if (this.#folder?.day === day && this.#folder.count < maxPerFolder) return this.#folder;
    const all: string[] = [];
    let chosen: { path: string; names: string[] } | null = null;
    for (let part = 1; ; part++) {
      const path = join(this.#folderOfDays, part === 1 ? day : `${day}_${part}`);
      const stat = await this.#files.stat(path);
      // An earlier one may have room again, once its images were moved away: later ones count for the names all the same.
      if (chosen && stat === null) break;
      // A link there may lead anywhere: no image goes through it, and none is lost for it.
      if (stat && (stat.strange || !stat.isFolder)) continue;
      all.push(path);
      if (chosen) continue;
      const names = await this.#files.list(path);
      if (names.length < maxPerFolder && !this.#crowded.has(path)) chosen = { path, names };
    }
    const { path, names } = chosen;
    // Only the collector writes these, and there is one: what a kill or a power cut has left is nobody's.
    for (const name of names) if (unfinished.test(name)) await removeFile(this.#files, join(path, name));
    await makeFolder(this.#files, path);
    await this.#files.syncFolder(this.#folderOfDays);
    this.#folder = { day, path, count: names.length, all };
    return this.#folder;
  }

  async #freeName(
    folders: readonly string[],
    { taken, cameraIndex }: Pick<CapturedFrame, 'taken' | 'cameraIndex'>,
    extension: string,
  ): Promise<string> {
    const camera = String(cameraIndex).replaceAll(/[^\w-]/g, '_');
    // The local time is counted on as if it were UTC, so that no change of the zone comes between.
    for (let micros = Math.round(parseIso(`${taken.local}Z`) * 1000); ; micros++) {
      const name = `${this.#type}_${utcIso(micros / 1000)
        .replaceAll(/[-:Z]/g, '')
        .replaceAll(/[T.]/g, '_')}_cam${camera}${extension}`;
      if (!(await this.#isTaken(folders, name))) return name;
    }
  }

  async #isTaken(folders: readonly string[], name: string): Promise<boolean> {
    // One that was compressed has its name all the same.
    for (const folder of folders) {
      for (const form of imageNames(name)) if ((await this.#files.stat(join(folder, form))) !== null) return true;
    }
    return false;
  }
}
