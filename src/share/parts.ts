import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { Files } from '../files/files.ts';
import { sharePath } from './sharePath.ts';

/** The random end of a name, which older versions left out. */
const ending = /^(?:\.[0-9a-f]{8})?\.part$/;

/** How the name of an unfinished copy begins: nobody's tools show it, and it is short enough whatever the file's name. */
function stemOf(remote: string, token: string): { folder: string; stem: string } {
  const { dir, base } = posix.parse(remote);
  return { folder: dir, stem: `.${[...base].slice(0, 40).join('')}.${token}` };
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
  /** Whole ones, checked, that wait to be published, by their stem. */
  readonly #whole = new Map<string, string>();

  constructor(root: string, share: Files) {
    this.#root = root;
    this.#share = share;
  }

  /** A name for a new one, relative to the root. */
  fresh(remote: string, token: string): string {
    const { folder, stem } = stemOf(remote, token);
    return posix.join(folder, `${stem}.${randomBytes(4).toString('hex')}.part`);
  }

  /** One of the same file that an earlier call has left, relative to the root; null when there is none. It is the caller's then. */
  async take(remote: string, token: string): Promise<string | null> {
    const { folder, stem } = stemOf(remote, token);
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

  /** One is whole and checked. */
  keepWhole(remote: string, token: string, part: string): void {
    const { folder, stem } = stemOf(remote, token);
    this.#whole.set(posix.join(folder, stem), part);
  }

  /** The one that this process has made and checked; null when it has made none. */
  takeWhole(remote: string, token: string): string | null {
    const { folder, stem } = stemOf(remote, token);
    const key = posix.join(folder, stem);
    const part = this.#whole.get(key) ?? null;
    this.#whole.delete(key);
    return part;
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
