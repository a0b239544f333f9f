import { createHash } from 'node:crypto';

/** Twelve hexadecimal digits of the SHA-256 of a text (as UTF-8) or bytes: which content it was. */
export function contentHash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}
