import { isAbsolute, normalize } from 'node:path';
import type { Kind } from './kind.ts';
import { text } from './text.ts';

/** Whether a relative path leads out of the folder that it is relative to. */
function escapes(path: string): boolean {
  return normalize(path).split('/')[0] === '..';
}

/** Any folder: absolute, or relative to the working directory. */
export function folder(): Kind<string> {
  return text('a folder: absolute, or relative to the working directory');
}

/** A path that stays below its base (`base` names it for people) unless it is absolute: then it is the person's own choice. */
export function pathUnder(base: string): Kind<string> {
  const allowed = `a path inside ${base}, or an absolute path`;
  return text(allowed, value => value.trim() !== '' && (isAbsolute(value) || !escapes(value)));
}

/** The name of a file, without any folder. */
export function fileName(): Kind<string> {
  const isName = (value: string): boolean =>
    value.trim() !== '' && !value.includes('/') && value !== '.' && value !== '..';
  return text('a file name without folder', isName);
}
