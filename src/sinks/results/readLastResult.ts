import type { Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { SegmentedFile } from '../../files/segmentedFile.ts';
import type { ResultLine } from '../../model/result.ts';
import { parseResultLine } from './resultsLog.ts';

/** The end of the log is read in steps that double, bytes; of failed images so much is passed over at most. */
const firstStep = 64 * 1024;
const longestLook = 16 << 20;

/**
 * Looks for the newest result line with values, from the end of the log back. It takes no lock and keeps no file open.
 * Each call resolves with null where nothing has come since the last one, or there is no such line yet.
 *
 * @param folder `results_dir`
 */
export function lastResultReader(files: Files, folder: string): () => Promise<ResultLine | null> {
  let seen = '';
  return async () => {
    const log = new SegmentedFile(files, folder, 'processing_results', 'jsonl');
    if (!(await files.stat(folder))) return null;
    const { segment, length } = await log.current();
    const now = `${segment} ${length}`;
    if (now === seen) return null;
    const path = log.path(segment);
    // A segment that was begun a moment ago: the results before it are compressed perhaps, and the next line is near.
    if (length === 0) return null;
    for (let step = firstStep; ; step *= 4) {
      const from = Math.max(0, length - step);
      const found = lastGood(await readBytes(files, path, from, length), from === 0);
      if (found === null && from > 0 && step < longestLook) continue;
      seen = now;
      return found;
    }
  };
}

/** The last line with values in the end of a file. @param isWhole the end is the whole file, so that it begins with a line */
function lastGood(bytes: Buffer, isWhole: boolean): ResultLine | null {
  let end = bytes.lastIndexOf(0x0a);
  while (end > 0) {
    const before = bytes.lastIndexOf(0x0a, end - 1);
    if (before < 0 && !isWhole) return null;
    const line = parseResultLine(bytes.subarray(before + 1, end));
    if (typeof line !== 'string' && line.image_analysis) return line;
    end = before;
  }
  return null;
}
