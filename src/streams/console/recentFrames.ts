import { basename, dirname, join } from 'node:path';
import type { Files } from '../../files/files.ts';
import { isBrightfieldName } from '../../manifest/orphanEntry.ts';
import type { Clock } from '../../model/clock.ts';
import { plainName } from '../../model/compression.ts';
import type { HeldFrame, RecentPlace } from '../../model/framePicture.ts';

/** So many frames before the one that is held can be seen again. */
const recentFrames = 500;
/** What was listed is good for so long, ms: a day's folder has many names, and is listed once for a walk through them. */
const listedMs = 5_000;

const imageName = /\.(?:png|jpe?g|tiff?)$/i;
const dayName = /^\d{8}$/;

/**
 * The frames beside one that is held, in the order of their names: those of its folder, and where that is a day's, of the days before and after.
 * Nothing is listed unless it is asked.
 */
export class RecentFrames {
  readonly #files: Pick<Files, 'list'>;
  readonly #clock: Clock;
  #listed: { folder: string; at: number; paths: readonly string[] } | null = null;

  constructor(files: Pick<Files, 'list'>, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  /** The frame that is meant, or the one nearest to it that there is; null where there is none. @throws the file system's errors */
  async find({ file, back }: HeldFrame): Promise<{ file: string; place: RecentPlace } | null> {
    const paths = await this.#beside(file);
    const held = plainPath(file);
    let anchor = paths.findIndex(path => plainPath(path) === held);
    // It is gone from the disk: the one after it stands in its place.
    if (anchor < 0) anchor = paths.findIndex(path => plainPath(path) > held);
    if (anchor < 0) anchor = paths.length - 1;
    if (anchor < 0) return null;
    const before = Math.min(anchor, recentFrames);
    const after = paths.length - 1 - anchor;
    const within = Math.max(-after, Math.min(before, back));
    return { file: paths[anchor - within]!, place: { back: within, before, after } };
  }

  async #beside(file: string): Promise<readonly string[]> {
    const folder = dirname(file);
    const now = this.#clock.monotonic();
    if (this.#listed?.folder === folder && now - this.#listed.at < listedMs) return this.#listed.paths;
    const paths: string[] = [];
    for (const each of await this.#folders(folder)) paths.push(...(await this.#images(each)));
    this.#listed = { folder, at: now, paths };
    return paths;
  }

  async #folders(folder: string): Promise<string[]> {
    if (!dayName.test(basename(folder))) return [folder];
    const days = (await this.#files.list(dirname(folder))).filter(name => dayName.test(name)).sort();
    const at = days.indexOf(basename(folder));
    return days.slice(Math.max(0, at - 1), at + 2).map(name => join(dirname(folder), name));
  }

  async #images(folder: string): Promise<string[]> {
    /** By the plain name: an image that is being compressed stands there twice for a while. */
    const names = new Map<string, string>();
    for (const name of await this.#files.list(folder)) {
      const plain = plainName(name);
      if (imageName.test(plain) && !isBrightfieldName(plain)) names.set(plain, name);
    }
    return [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => join(folder, name));
  }
}

const plainPath = (path: string): string => plainName(path);
