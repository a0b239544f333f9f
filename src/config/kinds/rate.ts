import { z } from 'zod';
import { parseAmount } from './amount.ts';
import type { Kind } from './kind.ts';

/** Reads `"2 MB/s"`; null for anything else. */
function parseRate(text: string): number | null {
  const match = /^(.*)\/s\s*$/i.exec(text);
  const amount = match ? parseAmount(match[1] as string) : null;
  return amount?.kind === 'bytes' ? amount.bytes : null;
}

/** Bytes a second, as text. */
export function rate(): Kind<number> {
  const allowed = 'a rate such as "2 MB/s" or "500 kB/s"; "0 MB/s" for no limit';
  const schema = z.unknown().transform((value, context): number => {
    const parsed = typeof value === 'string' ? parseRate(value) : null;
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
  return { schema, allowed, brief: 'such as "2 MB/s"' };
}
