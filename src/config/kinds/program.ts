import { z } from 'zod';
import type { Kind } from './kind.ts';
import { plain } from './text.ts';

/** Words of a command, in all. */
const mostWords = 100;

/** A program and its arguments, a word each: they reach it as they are, no shell reads them. Empty: none. */
export function program(): Kind<readonly string[]> {
  const allowed =
    'a list of a program and its arguments, a text each, such as ["/usr/local/bin/tell", "me"], or empty: []';
  const schema = z.unknown().transform((value, context): readonly string[] => {
    const isWord = (word: unknown): word is string => typeof word === 'string' && plain(word);
    if (Array.isArray(value) && value.length <= mostWords && value.every(isWord) && value[0]?.trim() !== '')
      return value;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
  return { schema, allowed };
}
