import { z } from 'zod';
import type { Kind } from './kind.ts';
import { isForShell, plain } from './text.ts';

/** Words of a command, in all. */
const maxWords = 100;

export interface ProgramOptions {
  example: string;
}

/** A program and its arguments, a word each: they reach it as they are, no shell reads them. Empty: none. */
export function program({ example }: ProgramOptions): Kind<readonly string[]> {
  const allowed = `a list of a program and its arguments, a text each, such as ${example}, or empty: []`;
  const schema = z.unknown().transform((value, context): readonly string[] => {
    const isWord = (word: unknown): word is string => typeof word === 'string' && plain(word);
    const words = Array.isArray(value) && value.length <= maxWords && value.every(isWord) ? value : null;
    const wantsShell = words?.some(isForShell) ?? false;
    if (words && words[0]?.trim() !== '' && !wantsShell) return words;
    const found = wantsShell
      ? ' (no shell reads it, so that nothing in it is replaced as $(…) or `…` would be: put what needs a shell into a script, and name that)'
      : '';
    context.addIssue({ code: 'custom', message: allowed + found });
    return z.NEVER;
  });
  return { schema, allowed };
}
