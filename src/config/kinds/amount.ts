import { z } from 'zod';
import type { Kind } from './kind.ts';

/** An amount of memory or disk, absolute or as a share of what there is. `text` is as the file has it. */
export type Amount =
  | { readonly kind: 'bytes'; readonly bytes: number; readonly text: string }
  | { readonly kind: 'percent'; readonly percent: number; readonly text: string };

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Reads `"5 GB"`, `"512 MiB"` or `"10%"`; null for anything else. */
export function parseAmount(text: string): Amount | null {
  const match = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*(%|[kmgt]?i?b)\s*$/i.exec(text);
  if (!match) return null;
  const value = Number(match[1]);
  const unit = (match[2] as string).toUpperCase();
  if (unit === '%') return value <= 100 ? { kind: 'percent', percent: value, text: text.trim() } : null;
  const factor = unitBytes[unit];
  return factor === undefined ? null : { kind: 'bytes', bytes: Math.round(value * factor), text: text.trim() };
}

/** Bytes that an amount stands for where there are `total` bytes in all. */
export function amountInBytes(amount: Amount, total: number): number {
  return amount.kind === 'bytes' ? amount.bytes : (amount.percent / 100) * total;
}

/** An amount of memory or disk as text. */
export function amount(): Kind<Amount> {
  const allowed = 'an amount such as "5 GB", "512 MiB" or "10%"';
  const schema = z.unknown().transform((value, context): Amount => {
    const parsed = typeof value === 'string' ? parseAmount(value) : null;
    if (parsed) return parsed;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
  return { schema, allowed, brief: 'such as "5 GB" or "10%"' };
}
