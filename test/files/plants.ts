import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** What stands outside of an experiment, and must stay as it is whatever is planted in there. */
export class Outside {
  readonly folder: string;
  readonly canary: string;
  readonly #dangling: string;
  readonly #before: readonly string[];

  /** @param folder with nothing in it that changes. */
  constructor(folder: string) {
    this.folder = folder;
    this.canary = join(folder, 'canary');
    this.#dangling = join(folder, 'made-through-a-link');
    writeFileSync(this.canary, 'canary\n');
    this.#before = readdirSync(folder).sort();
  }

  /** What somebody may put under a name, in words. */
  readonly plants: Readonly<Record<string, (path: string) => void>> = {
    'a link to a file': path => symlinkSync(this.canary, path),
    'a link to nothing': path => symlinkSync(this.#dangling, path),
    'a link to itself': path => symlinkSync(path, path),
    'a pipe': path => void execFileSync('mkfifo', [path]),
    'a second name of a file': path => linkSync(this.canary, path),
  };

  expectUntouched(): void {
    expect(readFileSync(this.canary, 'utf8')).toBe('canary\n');
    expect(existsSync(this.#dangling)).toBe(false);
    expect(readdirSync(this.folder).sort()).toEqual(this.#before);
  }
}

/** The same for every folder: names of what can be planted. */
export const plantNames = [
  'a link to a file',
  'a link to nothing',
  'a link to itself',
  'a pipe',
  'a second name of a file',
];
