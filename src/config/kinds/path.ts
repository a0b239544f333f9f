import { isAbsolute, normalize } from 'node:path';
import { z } from 'zod';
import type { Kind } from './kind.ts';
import { plain, text } from './text.ts';

/** Whether a relative path leads out of the folder that it is relative to. */
function escapes(path: string): boolean {
  return normalize(path).split('/')[0] === '..';
}

/** How a folder is named here, for who named it otherwise. */
export const here = 'a folder here is like /home/pi/data';

export const isWindowsPath = (path: string): boolean => /^[A-Za-z]:[\\/]|^\\\\/.test(path);

/** What no file system takes, bytes. */
const longestName = 255;

/** Node reads such a name with a sign for "no character", which is another folder's name by then; completes "it is …". */
export const notUtf8 =
  'a name in it is not UTF-8 (its bytes can not be told from others); rename that folder, or name another';

/** What is written like a path and is none to the system, which would make a folder of just that name; completes "it is …". */
export function mistake(path: string): string | null {
  if (isWindowsPath(path)) return `this is a path of Windows, and ${here}`;
  if (!plain(path)) return 'it has control characters, since a backslash in "…" begins an escape; write /';
  if (path.includes('\ufffd')) return notUtf8;
  if (/^~/.test(path)) return '~ is not replaced here; write the whole path';
  if (/\$\{?[A-Za-z_]|%[A-Za-z_]\w*%/.test(path)) return 'variables are not replaced here; write the whole path';
  if (/\$\(|`.*`/.test(path)) return 'no shell reads it, so that $(…) and `…` are not replaced; write the whole path';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path) || /^[\w.-]+@[\w.-]+:/.test(path))
    return `this is an address: mount it, and write the folder where it is mounted`;
  if (path.split('/').some(name => Buffer.byteLength(name) > longestName))
    return `a name in it has more than ${longestName} bytes, which no disk takes`;
  return path === path.trim() ? null : 'it begins or ends with a space';
}

/** A path that `test` accepts and that is none of the usual slips. */
function path(allowed: string, test: (path: string) => boolean = () => true): Kind<string> {
  const why = (value: unknown): string => {
    const found = typeof value === 'string' ? mistake(value) : null;
    return found === null ? allowed : `${allowed} (${found})`;
  };
  const isGood = (value: string): boolean => value.trim() !== '' && mistake(value) === null && test(value);
  return { schema: z.string({ error: allowed }).refine(isGood, { error: ({ input }) => why(input) }), allowed };
}

/** Any folder: absolute, or relative to the working directory. */
export function folder(): Kind<string> {
  return path('a folder: absolute, or relative to the working directory');
}

/** A path that stays below its base (`base` names it for people) unless it is absolute: then it is the person's own choice. */
export function pathUnder(base: string): Kind<string> {
  const allowed = `a path inside ${base}, or an absolute path`;
  return path(allowed, value => isAbsolute(value) || !escapes(value));
}

/** The name of a file, without any folder. */
export function fileName(): Kind<string> {
  const isName = (value: string): boolean =>
    value.trim() !== '' && !value.includes('/') && value !== '.' && value !== '..';
  return text('a file name without folder', isName);
}
