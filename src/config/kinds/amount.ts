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

/** Reads `"5 GB"`, `"512 MiB"` or `"10%"`; null for anything else, such as `Gb`, which are bits. Small letters throughout are bytes. */
export function parseAmount(text: string): Amount | null {
  const match = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*(%|[kmgt]?i?b)\s*$/i.exec(text);
  if (!match || isBits(match[2] as string)) return null;
  const value = Number(match[1]);
  const unit = (match[2] as string).toUpperCase();
  if (unit === '%') return value <= 100 ? { kind: 'percent', percent: value, text: text.trim() } : null;
  const factor = unitBytes[unit];
  return factor === undefined ? null : { kind: 'bytes', bytes: Math.round(value * factor), text: text.trim() };
}

/** `Gb`, `Mib`: a small b after a large letter. */
const isBits = (unit: string): boolean => unit.endsWith('b') && unit !== unit.toLowerCase();

/** What a text that is no amount of bytes must be, and why it is none where it is in bits. */
export function wantedBytes(value: unknown, allowed: string): string {
  const text = typeof value === 'string' ? value : '';
  const [, unit = ''] = /([a-z]*b)(?:\/s|ps)?\s*$/i.exec(text) ?? [];
  return isBits(unit) || /bits?(?:\/s)?\s*$/i.test(text)
    ? `${allowed}: ${unit || 'bit'} means bits, and a byte (8 bits) is B`
    : allowed;
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
    context.addIssue({ code: 'custom', message: wantedBytes(value, allowed) });
    return z.NEVER;
  });
  return { schema, allowed, brief: 'such as "5 GB" or "10%"' };
}
