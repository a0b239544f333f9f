import type { z } from 'zod';

/** A word that a setting may be, with what it means. */
export interface Word {
  readonly word: string;
  readonly meaning: string;
  /** Other spellings that old files use. */
  readonly also: readonly string[];
  /** Accepted because old files have it; this version does nothing with it. */
  readonly later: boolean;
}

/**
 * What values a setting may have. A kind knows how to check a value from the file and turn it into the typed one
 * (`schema`; its messages complete the sentence "it must be …"), and how to say that in the documents (`allowed`).
 */
export interface Kind<T> {
  readonly schema: z.ZodType<T>;
  readonly allowed: string;
  readonly words?: readonly Word[];
  /** `allowed` in the fewest words, for the example file; left out where it goes without saying. */
  readonly brief?: string;
  /** Lines of TOML that show how an empty table would be filled. */
  readonly example?: readonly string[];
}
