import { readChunks } from '../files/readChunks.ts';
import { splitLines } from '../files/splitLines.ts';
import { journalPath, listJournals, readHeader } from '../manifest/journal.ts';
import { isChangedLine, parseLine, tornMark } from '../manifest/journalLine.ts';
import { counted } from '../model/quantity.ts';
import type { Inspection } from './inspection.ts';

/** How a line of ours begins. */
const begun = '{"len":';

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
      // A compaction by a running pipeline removes old journals.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  const [first] = inspection.lostChanges;
  if (first === undefined) return;
  // A line that is there and damaged was told of; this is one that is not there.
  if (!inspection.found.has('damaged_line')) inspection.report('damaged_manifest', paths.manifestFile, first);
  inspection.repairs.manifest = true;
}

async function checkJournal(path: string, seal: number | undefined, inspection: Inspection): Promise<void> {
  let torn = 0;
  let end = 0;
  const reportDamage = (message: string): void => {
    inspection.report('damaged_line', path, message);
    inspection.repairs.manifest = true;
  };
  for await (const line of splitLines(readChunks(inspection.options.files, path, 0, seal))) {
    const text = line.bytes?.toString() ?? '';
    end = line.offset + line.length;
    if (text === '' || !line.terminated || parseLine(text)) continue;
    if (!isForeign(text) && !isChangedLine(text)) torn++;
    else reportDamage(`the line at byte ${line.offset} does not fit its checksum`);
  }
  if (seal !== undefined && end < seal) reportDamage(`it ends at byte ${end}; up to ${seal} was written`);
  if (torn > 0)
    inspection.note(
      `${path}: ${counted(torn, 'line was', 'lines were')} cut short by a kill or a full disk, never acknowledged`,
    );
}

/** None of ours, in whole or in part. */
function isForeign(text: string): boolean {
  if (text.endsWith(tornMark) || text.includes('\0')) return false;
  return !text.startsWith(begun) && !begun.startsWith(text);
}
