import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../../files/durableNames.ts';
import type { Files } from '../../files/files.ts';
import { readJson } from '../../files/readJson.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';

const schema = z.object({
  /** Absolute. */
  folder: z.string(),
  /** Where its disk or share was mounted; null where the system does not tell. */
  mount_point: z.string().nullable(),
  /** Ids of the images that were there before. */
  present: z.array(z.string()),
});

/** What is remembered of a watched folder from one start to the next: what was there when it was watched for the first time. */
export type WatchRecord = z.infer<typeof schema>;

/** Each folder has a record of its own: who goes from one to another and back misses nothing of the first. */
export const watchRecordFile = (flags: string, folder: string): string =>
  join(flags, `watched_${createHash('sha256').update(folder).digest('hex').slice(0, 12)}.json`);

/** Null where there is none. @throws DamagedJsonError: nobody knows then what was there before. */
export function readWatchRecord(file: string, files: Files): Promise<WatchRecord | null> {
  return readJson(files, file, schema);
}

export async function writeWatchRecord(file: string, record: WatchRecord, files: Files): Promise<void> {
  await makeFolder(files, dirname(file));
  await writeAtomic(files, file, `${JSON.stringify(record)}\n`);
}
