import { hash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { IdTable } from '../manifest/idTable.ts';
import { plainName } from '../model/compression.ts';

const keyDigits = 16;

/**
 * Which images are known, by a hash of their name and of the folder they lie in directly: 40 bytes each. A compressed image and
 * the one that it was made from are one: a crash may leave both.
 */
export class ImageNames {
  readonly #keys = new IdTable();

  add(path: string): void {
    this.#keys.add(keyOf(path));
  }

  has(path: string): boolean {
    return this.#keys.find(keyOf(path)) >= 0;
  }
}

function keyOf(path: string): string {
  return hash('md5', `${basename(dirname(path))}/${plainName(basename(path))}`, 'hex').slice(0, keyDigits);
}
