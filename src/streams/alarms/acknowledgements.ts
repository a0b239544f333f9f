import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../../files/durableNames.ts';
import type { Exclusive } from '../../files/fileLock.ts';
import type { Files } from '../../files/files.ts';
import { parseJson } from '../../files/readJson.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { Acknowledgement } from '../../model/alarm.ts';
import { stageNames } from '../../model/stageName.ts';
import { readOwnText } from '../watched/fileText.ts';

/** @param flags folder of the flags. */
export const acknowledgedFile = (flags: string): string => join(flags, 'acknowledged.json');

/** Alarms that are over need none any more; nobody has so many at once. */
const kept = 100;

const schema = z.object({
  acknowledged: z.array(
    z.object({ stage: z.enum(stageNames), key: z.string(), since: z.string(), at: z.string(), by: z.string() }),
  ),
});

/** Reads the text of `flags/acknowledged.json`. @param text null: there is no file. @throws DamagedJsonError that says what is wrong with it. */
export function parseAcknowledgements(text: string | null): Acknowledgement[] {
  return text === null ? [] : parseJson(text, schema).acknowledged;
}

/** Adds one, durably. A file that is damaged is written anew: what it said is in the log of no one, and an alarm that is seen twice does no harm. */
export async function acknowledge(
  path: string,
  one: Acknowledgement,
  { files, exclusive }: { files: Files; exclusive: Exclusive },
): Promise<void> {
  await makeFolder(files, dirname(path));
  await exclusive(async () => {
    const read = await readOwnText(path);
    let before: Acknowledgement[] = [];
    try {
      before = parseAcknowledgements(read.kind === 'text' ? read.text : null);
    } catch {
      // Written anew.
    }
    const others = before.filter(
      ({ stage, key, since }) => stage !== one.stage || key !== one.key || since !== one.since,
    );
    await writeAtomic(files, path, `${JSON.stringify({ acknowledged: [...others, one].slice(-kept) })}\n`);
  });
}
