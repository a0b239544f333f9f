import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };

/** So many digits of a commit tell it. */
const commitDigits = 12;

let known: string | null = null;

/** Which code this is: `0.1.0`, in a checkout with the commit that it is on: `0.1.0+95fbb8c0f1aa`. Read once. */
export function codeVersion(): string {
  known ??= [packageJson.version, commitOf(fileURLToPath(new URL('../../.git', import.meta.url)))]
    .filter(part => part !== null)
    .join('+');
  return known;
}

/** The commit that a checkout is on; null where there is none, or it can't be read. @param git path of its `.git` */
function commitOf(git: string): string | null {
  try {
    // In a further work tree it is a file that names the folder.
    const folder = statSync(git).isDirectory()
      ? git
      : resolve(dirname(git), /^gitdir: (.+)$/m.exec(read(git))?.[1] ?? git);
    const head = read(join(folder, 'HEAD'));
    const ref = /^ref: (\S+)$/.exec(head)?.[1];
    const commit = ref === undefined ? head : refCommit(folder, ref);
    return /^[0-9a-f]{40}/.test(commit) ? commit.slice(0, commitDigits) : null;
  } catch {
    return null;
  }
}

function refCommit(folder: string, ref: string): string {
  const common = statSync(join(folder, 'commondir'), { throwIfNoEntry: false })
    ? resolve(folder, read(join(folder, 'commondir')))
    : folder;
  if (statSync(join(common, ref), { throwIfNoEntry: false })) return read(join(common, ref));
  const packed = read(join(common, 'packed-refs')).split('\n');
  return packed.find(line => line.endsWith(` ${ref}`)) ?? '';
}

const read = (path: string): string => readFileSync(path, 'utf8').trim();
