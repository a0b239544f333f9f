import { isAbsolute, join, posix } from 'node:path';
import { ShareError } from './shareError.ts';

/**
 * The path of a file on the share.
 * @param remote relative to the root, with `/`. @throws ShareError when it is not plainly below the root.
 */
export function sharePath(root: string, remote: string): string {
  const parts = remote.split('/');
  const isPlain = parts.every(part => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  if (isAbsolute(remote) || !isPlain) {
    throw new ShareError(`${JSON.stringify(remote)} is not a path below ${root}`, { code: 'ESHAREPATH' });
  }
  return join(root, ...parts);
}

/** Characters that SMB and vfat do not take in names, and control characters. */
const unsafe = /[\p{Cc}:*?"<>|\\/]/gu;

/** A name that every kind of share takes: the same where it can be. */
export function safeName(name: string): string {
  const safe = name.replaceAll(unsafe, '_').replace(/[. ]+$/, end => '_'.repeat(end.length));
  return safe === '' ? '_' : safe;
}

/** Names beside a taken one, from the hash of what goes there: `<name>~<hash8>.<ext>`, longer ones where that is taken too. */
export function besideOf(remote: string, sha256: string): string[] {
  const { dir, name, ext } = posix.parse(remote);
  return [8, 16, 64].map(digits => posix.join(dir, `${name}~${sha256.slice(0, digits)}${ext}`));
}
