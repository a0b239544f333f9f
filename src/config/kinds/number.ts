import { z } from 'zod';
import type { Kind } from './kind.ts';

/** Timers of Node fire at once when they are asked for more (2³¹ − 1 ms). */
const longestTimerSeconds = 2_147_483;

export interface NumberLimits {
  /** Plural, as it stands in "a number of seconds". */
  unit?: string;
  /** Only whole numbers. */
  whole?: boolean;
  /** The value must be greater than this. */
  above?: number;
  min?: number;
  max?: number;
}

function range({ above, min, max }: NumberLimits): string | null {
  if (above !== undefined) return `greater than ${above}${max === undefined ? '' : `, at most ${max}`}`;
  if (min !== undefined) return max === undefined ? `${min} or more` : `from ${min} to ${max}`;
  return null;
}

/** A finite number within limits. */
export function number(limits: NumberLimits = {}): Kind<number> {
  const { unit, whole, above, min, max } = limits;
  const bounds = range(limits);
  const what = `a ${whole ? 'whole ' : ''}number${unit ? ` of ${unit}` : ''}`;
  const allowed = [what, bounds].filter(part => part !== null).join(bounds?.endsWith('more') ? ', ' : ' ');
  const error = { error: allowed };
  let schema = z.number(error);
  if (whole) schema = schema.int(error);
  if (above !== undefined) schema = schema.gt(above, error);
  if (min !== undefined) schema = schema.gte(min, error);
  if (max !== undefined) schema = schema.lte(max, error);
  return bounds === null ? { schema, allowed } : { schema, allowed, brief: bounds };
}

/** A number within limits, or the word `auto`: the program finds it. */
export function automatic(limits: NumberLimits): Kind<number | 'auto'> {
  const given = number(limits);
  const allowed = `auto, or ${given.allowed}`;
  const schema = z.unknown().transform((value, context): number | 'auto' => {
    if (value === 'auto') return value;
    const parsed = given.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
  return { schema, allowed, brief: allowed };
}

/** An interval in seconds, fractions allowed. `zero`: 0 is allowed too. */
export function seconds({ zero = false }: { zero?: boolean } = {}): Kind<number> {
  const kind = number(zero ? { unit: 'seconds', min: 0 } : { unit: 'seconds', above: 0 });
  const tooLong = `at most ${longestTimerSeconds} seconds (24 days)`;
  const schema = kind.schema.refine(value => value <= longestTimerSeconds, { error: tooLong });
  return { ...kind, schema, brief: `seconds, ${kind.brief}` };
}
