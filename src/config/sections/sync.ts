import { z } from 'zod';
import { parseAmount, wantedBytes } from '../kinds/amount.ts';
import { flag } from '../kinds/flag.ts';
import type { Kind } from '../kinds/kind.ts';
import { number, seconds } from '../kinds/number.ts';
import { section, setting } from '../setting.ts';

/** Reads `"2 MB/s"`; null for anything else. */
function parseRate(text: string): number | null {
  const match = /^(.*)\/s\s*$/i.exec(text);
  const amount = match ? parseAmount(match[1] as string) : null;
  return amount?.kind === 'bytes' ? amount.bytes : null;
}

/** Bytes a second, as text. */
function rate(): Kind<number> {
  const allowed = 'a rate such as "2 MB/s" or "500 kB/s"; "0 MB/s" for no limit';
  const schema = z.unknown().transform((value, context): number => {
    const parsed = typeof value === 'string' ? parseRate(value) : null;
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: wantedBytes(value, allowed) });
    return z.NEVER;
  });
  return { schema, allowed, brief: 'such as "2 MB/s"' };
}

/** `[Sync]`: how the experiment is copied to the share. */
export const sync = section(
  { doc: 'How the experiment is copied to remote_root_dir, where Services.enable_remote_sync is on.', new: true },
  {
    trust_write: setting(flag(), {
      absent: false,
      doc: 'Do not read back what was written to the share, neither at once nor once a day. It halves the traffic of a slow link, and a share that stores something else is not noticed.',
      effect: 'live',
      new: true,
    }),
    bandwidth_limit: setting(rate(), {
      absent: '0 MB/s',
      doc: 'Most that goes to and from the share, all files together; "0 MB/s" for no limit. What is read back to check it counts too.',
      effect: 'live',
      new: true,
    }),
    files_in_flight: setting(number({ unit: 'images', whole: true, min: 1, max: 16 }), {
      absent: 3,
      doc: 'Images that are copied at one time.',
      effect: 'live',
      new: true,
    }),
    deadline_seconds: setting(seconds(), {
      absent: 60,
      doc: 'A share that shows no progress for so long hangs: the process that copies is given up, and another one tries again.',
      effect: 'live',
      new: true,
    }),
  },
);
