import { journalPath, listJournals, readHeader } from '../manifest/journal.ts';
import { parseLine } from '../manifest/journalLine.ts';
import { readChunks } from '../storage/readChunks.ts';
import { splitLines } from '../storage/splitLines.ts';
import type { Inspection } from './inspection.ts';

/** How a line of ours begins, with the length that its record should have. */
const begun = /^\{"len":(\d+),"crc":"[0-9a-f]{8}","record":/;
/** A writer that finds a torn line puts this behind it. */
const tornMark = '#';

/**
 * Looks at each line of the journals, as far as they count. A line that was cut short, or that a power cut left empty, was
 * never acknowledged: it is noted and not wrong. One of full length that does not fit its checksum was changed afterwards.
 */
export async function checkJournals(inspection: Inspection): Promise<void> {
  const { paths, files } = inspection.options;
  const numbers = await listJournals(files, paths.manifestFile);
  for (const number of numbers) {
    const path = journalPath(paths.manifestFile, number);
    try {
      const next = numbers.includes(number + 1)
        ? await readHeader(files, journalPath(paths.manifestFile, number + 1))
        : null;
      const seal = next?.sealed?.number === number ? next.sealed.length : undefined;
      await checkJournal(path, seal, inspection);
    } catch (error) {
      // A fold by a running pipeline removes old journals.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

async function checkJournal(path: string, seal: number | undefined, inspection: Inspection): Promise<void> {
  let torn = 0;
  let end = 0;
  for await (const line of splitLines(readChunks(inspection.options.files, path, 0, seal))) {
    const text = line.bytes?.toString() ?? '';
    end = line.offset + line.length;
    if (text === '' || !line.terminated || parseLine(text)) continue;
    if (isTorn(text)) torn++;
    else inspection.say('damaged_line', path, `the line at byte ${line.offset} does not fit its checksum`);
  }
  if (seal !== undefined && end < seal)
    inspection.say('damaged_line', path, `it ends at byte ${end}; up to ${seal} was written`);
  if (torn > 0)
    inspection.note(`${path}: ${torn} lines were cut short by a kill or a full disk; they were never acknowledged`);
}

function isTorn(text: string): boolean {
  if (text.endsWith(tornMark) || text.includes('\0') || '{"len":'.startsWith(text)) return true;
  const [head, length] = begun.exec(text) ?? [];
  return head !== undefined && Buffer.byteLength(text) < head.length + Number(length) + 1;
}
