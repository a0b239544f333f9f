import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { contentHash } from '../files/contentHash.ts';
import type { Files } from '../files/files.ts';
import { sharePath } from './sharePath.ts';

/** Longer names are cut: the name of a part must be short enough whatever the file's name. */
const longestName = 40;
/** What follows the file's name; older versions had a token for every name, and no random digits at first. */
const ending = /^(?:\.[0-9a-f]{12})?(?:\.[0-9a-f]{8})?\.part$/;

/** How the name of an unfinished copy begins: nobody's tools show it, and it is that file's alone. */
function stemOf(remote: string): { folder: string; stem: string } {
  const { dir, base } = posix.parse(remote);
  const characters = [...base];
  const isCut = characters.length > longestName;
  return {
    folder: dir,
    stem: isCut ? `.${characters.slice(0, longestName).join('')}.${contentHash(remote)}` : `.${base}`,
  };
}

/**
 * The unfinished copies on a share. Their names can't be foretold, so that nobody puts something else under one. A process that was
 * killed leaves some; they are found in one look at each folder, the first time that something is copied to it.
 */
export class Parts {
  readonly #root: string;
  readonly #share: Files;
  /** Names in each folder, relative to the root, of those that nobody writes at this moment. */
  readonly #left = new Map<string, Promise<Set<string>>>();

  constructor(root: string, share: Files) {
    this.#root = root;
    this.#share = share;
  }

  /** A name for a new one, relative to the root. */
  fresh(remote: string): string {
    const { folder, stem } = stemOf(remote);
    return posix.join(folder, `${stem}.${randomBytes(4).toString('hex')}.part`);
  }

  /** One of the same file that an earlier call has left, relative to the root; null when there is none. It is the caller's then. */
  async take(remote: string): Promise<string | null> {
    const { folder, stem } = stemOf(remote);
    const names = await this.#in(folder);
    for (const name of names) {
      if (!name.startsWith(stem) || !ending.test(name.slice(stem.length))) continue;
      names.delete(name);
      return posix.join(folder, name);
    }
    return null;
  }

  /** One stays where it is: a later call goes on with it. */
  async leave(part: string): Promise<void> {
    const { dir, base } = posix.parse(part);
    (await this.#in(dir)).add(base);
  }

  #in(folder: string): Promise<Set<string>> {
    let names = this.#left.get(folder);
    if (!names) {
      const path = folder === '' ? this.#root : sharePath(this.#root, folder);
      names = this.#share.list(path).then(all => new Set(all.filter(name => name.endsWith('.part'))));
      names.catch(() => this.#left.delete(folder));
      this.#left.set(folder, names);
    }
    return names;
  }
}
