import { z } from 'zod';
import type { Kind, Word } from './kind.ts';

export interface WordMeaning {
  meaning: string;
  also?: readonly string[];
  later?: boolean;
}

type Meanings<W extends string> = Readonly<Record<W, string | WordMeaning>>;

/** The words that this version can do: all but those that are for later. */
export type PresentWord<M> = { [W in keyof M]: M[W] extends { later: true } ? never : W }[keyof M];

function table<W extends string>(meanings: Meanings<W>): { words: Word[]; find: (value: unknown) => W | undefined } {
  const bySpelling = new Map<string, W>();
  const words: Word[] = [];
  for (const [word, given] of Object.entries(meanings) as [W, string | WordMeaning][]) {
    const { meaning, also = [], later = false } = typeof given === 'string' ? { meaning: given } : given;
    words.push({ word, meaning, also, later });
    for (const spelling of [word, ...also]) bySpelling.set(spelling.toLowerCase(), word);
  }
  const find = (value: unknown): W | undefined =>
    typeof value === 'string' ? bySpelling.get(value.trim().toLowerCase()) : undefined;
  return { words, find };
}

function say(words: readonly Word[]): string {
  const all = words.map(({ word, also }) => (also.length === 0 ? word : `${word} (also ${also.join(', ')})`));
  return all.length === 1 ? (all[0] as string) : `one of ${all.join(', ')}`;
}

/** One word of a list; capitals don't matter, other spellings become the word itself. */
export function word<W extends string>(meanings: Meanings<W>): Kind<W> {
  const { words, find } = table(meanings);
  const allowed = say(words);
  const schema = z.unknown().transform((value, context): W => {
    const found = find(value);
    if (found !== undefined) return found;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
  return { schema, allowed, words };
}

/** One word or a list of them; the value is always a list, each word once, in the order of the file. */
export function wordList<W extends string>(meanings: Meanings<W>): Kind<readonly W[]> {
  const { words, find } = table(meanings);
  const one = say(words);
  const allowed = `${one}, or a list of these`;
  const schema = z.unknown().transform((value, context): readonly W[] => {
    if (!Array.isArray(value) || value.length === 0) {
      const found = find(value);
      if (found !== undefined) return [found];
      context.addIssue({ code: 'custom', message: allowed });
      return z.NEVER;
    }
    const found = value.map(find);
    found.forEach((item, index) => {
      if (item === undefined) context.addIssue({ code: 'custom', message: one, path: [index] });
    });
    return [...new Set(found as W[])];
  });
  return { schema, allowed, words };
}
