import { z } from 'zod';
import type { Kind } from './kind.ts';

/** On or off. */
export function flag(): Kind<boolean> {
  const allowed = 'true or false';
  return { schema: z.boolean({ error: allowed }), allowed };
}
