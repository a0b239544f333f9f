import { z } from 'zod';
import type { Kind } from './kind.ts';

/** Control characters would break log lines, tables and paths; TOML can write them as escapes. */
export const plain = (value: string): boolean => !/\p{Cc}/u.test(value);

/** What only a shell would replace: no shell reads a setting, so that it is a mistake. */
export const isForShell = (value: string): boolean => /\$[({]|`/.test(value);

/**
 * Text without control characters, and without what only a shell would replace, not empty, that `test` accepts. `allowed` completes "it must
 * be …".
 */
export function text(allowed: string, test: (value: string) => boolean = value => value.trim() !== ''): Kind<string> {
  const schema = z
    .string({ error: allowed })
    .refine(value => plain(value) && !isForShell(value) && test(value), { error: allowed });
  return { schema, allowed };
}

/** As devices are called in /dev, by udev, libcamera and their makers; nothing that a shell or a program would take for more than a name. */
const deviceName = /^[\p{L}\p{N}/][\p{L}\p{N} ./:@_,+=#()[\]-]*$/u;

/** Number of a device, or its name. */
export function deviceId(): Kind<number | string> {
  const allowed =
    'a whole number, 0 or more, or the name of a device (letters, digits, spaces and ./:@_,+=#()[]-, with a letter, a digit or / first)';
  const schema = z.unknown().transform((value, context): number | string => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    if (typeof value === 'string' && deviceName.test(value)) return value;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
  return { schema, allowed };
}
